"""The loops of the codec, compiled by numba on first use and kept on disk.

Arrays run over the lifting innermost, so that a cyclic shift is two straight stretches and the compiler makes
vector instructions of them. Small liftings would leave those short, so several blocks lie side by side: position
z of block b is at z * blocks + b, and a shift by s is one by s * blocks.
"""

import numba
import numpy as np

_compile = numba.njit(cache=True, nogil=True, fastmath={"nsz", "contract"}, error_model="numpy")


@_compile
def add(total, bits):  # type: ignore[no-untyped-def]
    """Total ^= bits."""
    for z in range(len(total)):
        total[z] ^= bits[z]


@_compile
def add_shifted(total, word, column, shift):  # type: ignore[no-untyped-def]
    """Total ^= a column of a word, shifted."""
    width = len(total)
    bits = word[column * width : (column + 1) * width]
    add(total[: width - shift], bits[shift:])
    add(total[width - shift :], bits[:shift])


@_compile
def encode_blocks(bits, row_start, columns, shifts, info_columns, rows, width):  # type: ignore[no-untyped-def]
    """Fill the parity columns of `bits` [blocks, mother bits], whose information columns are set.

    The four core rows sum to the first parity column alone, at the shift that does not cancel; the rest of the
    core follows row by row, and each row below holds one new column.
    """
    first = info_columns
    sums = np.zeros((4, width), dtype=np.uint8)
    total = np.zeros(width, dtype=np.uint8)
    # Two of the first parity column's three shifts are equal and cancel.
    odd = 0
    for row in range(4):
        for edge in range(row_start[row], row_start[row + 1]):
            if columns[edge] == first:
                others = 0
                for other in range(row_start[0], row_start[4]):
                    if columns[other] == first and shifts[other] == shifts[edge]:
                        others += 1
                if others != 2:
                    odd = shifts[edge]
    for block in range(bits.shape[0]):
        word = bits[block]
        sums[:] = 0
        total[:] = 0
        for row in range(4):
            for edge in range(row_start[row], row_start[row + 1]):
                if columns[edge] < first:
                    add_shifted(sums[row], word, columns[edge], shifts[edge])
            add(total, sums[row])
        word[first * width + odd : (first + 1) * width] = total[: width - odd]
        word[first * width : first * width + odd] = total[width - odd :]
        for row in range(3):
            for edge in range(row_start[row], row_start[row + 1]):
                if first <= columns[edge] <= first + row:
                    add_shifted(sums[row], word, columns[edge], shifts[edge])
            word[(first + row + 1) * width : (first + row + 2) * width] = sums[row]
        for row in range(4, rows):
            total[:] = 0
            for edge in range(row_start[row], row_start[row + 1]):
                if columns[edge] < first + row:
                    add_shifted(total, word, columns[edge], shifts[edge])
            word[(first + row) * width : (first + row + 1) * width] = total


@_compile
def gather(belief, old, fresh, least, second, negative):  # type: ignore[no-untyped-def]
    """Take a row's old messages out of some beliefs, and note least, second least and sign of what is left."""
    for z in range(len(belief)):
        value = belief[z] - old[z]
        fresh[z] = value
        size = abs(value)
        second[z] = min(second[z], max(least[z], size))
        least[z] = min(least[z], size)
        negative[z] ^= np.int32(value < 0)


@_compile
def scatter(belief, message, fresh, least, second, negative, scale):  # type: ignore[no-untyped-def]
    """Put a row's new messages into some beliefs: the least of the other inputs, with their sign."""
    for z in range(len(belief)):
        value = fresh[z]
        size = scale * (second[z] if abs(value) == least[z] else least[z])
        size = -size if negative[z] ^ np.int32(value < 0) else size
        message[z] = size
        belief[z] = value + size


@_compile
def update_row(belief, messages, fresh, least, second, negative, columns, shifts, width, scale):  # type: ignore[no-untyped-def]
    """One row's checks by normalised min-sum; the arrays hold the row's edges alone."""
    least[:] = np.float32(np.inf)
    second[:] = np.float32(np.inf)
    negative[:] = 0
    # Slices that begin at 0 spare the compiler the thought of negative indexes, which would cost it its vectors.
    for edge in range(len(columns)):
        bits = belief[columns[edge] * width : (columns[edge] + 1) * width]
        shift, straight = shifts[edge], width - shifts[edge]
        old, new = messages[edge], fresh[edge]
        gather(
            bits[shift:], old[:straight], new[:straight], least[:straight], second[:straight], negative[:straight]
        )
        gather(
            bits[:shift], old[straight:], new[straight:], least[straight:], second[straight:], negative[straight:]
        )
    for edge in range(len(columns)):
        bits = belief[columns[edge] * width : (columns[edge] + 1) * width]
        shift, straight = shifts[edge], width - shifts[edge]
        old, new = messages[edge], fresh[edge]
        scatter(
            bits[shift:], old[:straight], new[:straight],
            least[:straight], second[:straight], negative[:straight], scale,
        )  # fmt: skip
        scatter(
            bits[:shift], old[straight:], new[straight:],
            least[straight:], second[straight:], negative[straight:], scale,
        )  # fmt: skip


@_compile
def decide(hard, belief):  # type: ignore[no-untyped-def]
    """Hard decisions: a negative log p0/p1 is a 1."""
    for bit in range(len(hard)):
        hard[bit] = belief[bit] < 0


@_compile
def unsatisfied(hard, row_start, columns, shifts, rows, blocks, wrong, parity):  # type: ignore[no-untyped-def]
    """Set wrong[b] where a check of block b fails; rows behind the one that finds all wrong are not looked at."""
    wrong[:] = False
    for row in range(rows):
        parity[:] = 0
        for edge in range(row_start[row], row_start[row + 1]):
            add_shifted(parity, hard, columns[edge], shifts[edge])
        for z in range(len(parity)):
            if parity[z]:
                wrong[z % blocks] = True
        if wrong.all():
            return


@_compile
def decode_group(belief, row_start, columns, shifts, rows, width, blocks, iterations, scale, k, bits, converged):  # type: ignore[no-untyped-def]
    """Decode blocks side by side from beliefs log p0/p1 [mother bits * blocks] into bits [blocks, k].

    A block's bits are those of the iteration in which all its checks held first, whatever its neighbours need.
    """
    degree = 0
    for row in range(rows):
        degree = max(degree, row_start[row + 1] - row_start[row])
    messages = np.zeros((row_start[rows], width), dtype=np.float32)
    fresh = np.empty((degree, width), dtype=np.float32)
    least, second = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    negative = np.empty(width, dtype=np.int32)
    hard, parity = np.empty(len(belief), dtype=np.uint8), np.empty(width, dtype=np.uint8)
    wrong = np.ones(blocks, dtype=np.bool_)
    converged[:] = False
    for iteration in range(iterations):
        for row in range(rows):
            edges = slice(row_start[row], row_start[row + 1])
            update_row(
                belief, messages[edges], fresh, least, second, negative,
                columns[edges], shifts[edges], width, scale,
            )  # fmt: skip
        decide(hard, belief)
        unsatisfied(hard, row_start, columns, shifts, rows, blocks, wrong, parity)
        for block in range(blocks):
            done = not wrong[block] and not converged[block]
            if done or (iteration == iterations - 1 and not converged[block]):
                for bit in range(k):
                    bits[block, bit] = hard[bit * blocks + block]
            converged[block] |= done
        if converged.all():
            return
