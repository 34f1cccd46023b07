"""Sandbox worker: the process in which programs run, with next to no rights.

Each line of standard input is a JSON request {"source", "equipment"}; each line of standard output its answer,
either {"link_chain", "slice_policy", "lines"} or {"line", "reason"}. Before the first program the process gives up
opening files and sockets, writing files, starting processes, memory and core dumps.
"""

import json
import resource
import sys
import warnings
from dataclasses import asdict

from twin.link.errors import SandboxRefusal
from twin.link.interpreter import interpret


def answer(line: str) -> dict[str, object]:
    """Run the program of one request."""
    request = json.loads(line)
    try:
        return asdict(interpret(request["source"], request["equipment"]))
    except SandboxRefusal as refusal:
        return {"line": refusal.line, "reason": refusal.reason}
    except (RecursionError, MemoryError) as error:
        return {"line": 0, "reason": f"the program exhausts the sandbox: {type(error).__name__}"}


def give_up_rights(memory_byte: int) -> None:
    """Lower the limits of this process for good."""
    limits = {
        "RLIMIT_AS": memory_byte,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NPROC": 0,
        # Standard input, output and error are open; there is no number left for another file or socket.
        "RLIMIT_NOFILE": 3,
    }
    for name, limit in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (lowest, lowest))


def allow_cpu(seconds: int) -> None:
    """Let the next program have this much processor time; beyond it the system ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Answer requests until standard input ends; arguments: memory in bytes, processor time of a program in s."""
    memory_byte, cpu_s = int(sys.argv[1]), int(sys.argv[2])
    warnings.simplefilter("ignore")
    give_up_rights(memory_byte)
    for line in sys.stdin:
        allow_cpu(cpu_s)
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
