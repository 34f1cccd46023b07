"""The E2 messages of a file, whatever its kind, with where and when each was seen."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from oran.e2.capture.files import Packet, is_capture, read_packets
from oran.e2.capture.layers import SCTP, TCP, USER, SkippedPacket, to_segment
from oran.e2.capture.sctp import SctpReader
from oran.e2.capture.tcp import TcpReader
from oran.e2.errors import DecodeError

if TYPE_CHECKING:
    from oran.rmr.message import RmrMessage

MAX_LINE = 8 << 20
E2AP = "E2AP-PDU"


@dataclass(frozen=True, slots=True)
class CapturedMessage:
    """A message and its circumstances.

    `number` is that of the line or packet which completed it, `type` its ASN.1 type, `transport` hex, sctp,
    tcp, rmr or user. `rmr` is the frame that carried it; the payload of a frame need not be E2AP.
    """

    number: int
    type: str
    transport: str
    data: bytes
    time_s: float | None = None
    source: str = ""
    destination: str = ""
    rmr: "RmrMessage | None" = None


class Messages:
    """The messages of a file, read as they are asked for; `skipped` counts the packets left out, by reason."""

    def __init__(self, file: BinaryIO) -> None:
        self.skipped: Counter[str] = Counter()
        self._file = file

    def __iter__(self) -> Iterator[CapturedMessage]:
        head = self._file.read(4)
        if not is_capture(head):
            yield from _read_lines(self._file, head)
            return
        sctp, tcp = SctpReader(self.skipped), TcpReader(self.skipped)
        for number, packet in enumerate(read_packets(self._file, head), 1):
            try:
                yield from _read_packet(number, packet, sctp, tcp)
            except SkippedPacket as skipped:
                self.skipped[str(skipped)] += 1


def read_messages(file: BinaryIO) -> Messages:
    """Read a hex list, a pcap or a pcapng file, told by its first octets.

    A hex list holds one message a line, in hexadecimal digits which blanks and colons may part, after its
    ASN.1 type where it is none of E2AP; `#` begins a comment. Iterating raises DecodeError for a line or a
    file that is none of these.
    """
    return Messages(file)


def parse_hex(text: str, field: str) -> bytes:
    """Read hexadecimal digits, which blanks and colons may part and 0x may lead; DecodeError otherwise."""
    digits = "".join(text.split()).replace(":", "").lower().removeprefix("0x")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise DecodeError("expected pairs of hexadecimal digits", field=field) from None


def _read_lines(file: BinaryIO, head: bytes) -> Iterator[CapturedMessage]:
    first = (head + file.readline(MAX_LINE)).splitlines()
    for number, line in enumerate(chain(first, iter(lambda: file.readline(MAX_LINE), b"")), 1):
        field = f"line {number}"
        if len(line) >= MAX_LINE:
            raise DecodeError(f"longer than {MAX_LINE} octets", field=field)
        try:
            text = line.decode("ascii").partition("#")[0].strip()
        except UnicodeDecodeError:
            raise DecodeError("neither a capture nor text", field=field) from None
        if text:
            name = text.split(maxsplit=1)[0]
            kind, digits = (name, text.removeprefix(name)) if "-" in name else (E2AP, text)
            yield CapturedMessage(number, kind, "hex", parse_hex(digits, field))


def _read_packet(number: int, packet: Packet, sctp: SctpReader, tcp: TcpReader) -> Iterator[CapturedMessage]:
    if packet.link_type in USER:
        yield CapturedMessage(number, E2AP, "user", packet.data, packet.time_s)
        return
    segment = to_segment(packet.link_type, packet.data)
    if segment.protocol == SCTP:
        for source, destination, data in sctp.read(segment):
            yield CapturedMessage(number, E2AP, "sctp", data, packet.time_s, source, destination)
    elif segment.protocol == TCP:
        for source, destination, message in tcp.read(segment):
            if isinstance(message, bytes):
                yield CapturedMessage(number, E2AP, "tcp", message, packet.time_s, source, destination)
            else:
                yield CapturedMessage(
                    number, E2AP, "rmr", message.payload, packet.time_s, source, destination, message
                )
    else:
        raise SkippedPacket(f"IP protocol {segment.protocol}")
