"""The message inspector: E2 messages to JSON and back, on the command line (`python -m oran.e2`)."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from oran.e2.asn1_value import JsonObject, JsonValue
from oran.e2.capture import CapturedMessage, read_messages
from oran.e2.capture.messages import E2AP, parse_hex
from oran.e2.e2ap import asn1
from oran.e2.errors import CodecError, DecodeError, E2Error
from oran.e2.payloads import PayloadReader
from oran.e2.registry import codecs, decode_to_json, encode_from_json

FAILED, MISUSED = 1, 2

_E2_TYPES = range(12_000, 13_000)
"""RMR message types of E2. Their payload is an E2AP PDU, save what the E2 manager exchanges as text."""

_OUTCOMES = (b"\x00", b"\x20", b"\x40")
"""How an E2AP PDU begins."""

EXAMPLES = """\
examples:
  python -m oran.e2 types
  python -m oran.e2 decode E2AP-PDU 000d0009000001003100020007
  python -m oran.e2 decode E2SM-KPM-EventTriggerDefinition 0063
  python -m oran.e2 encode E2SM-KPM-EventTriggerDefinition @trigger.json
  python -m oran.e2 read trace.pcapng --pretty

HEX and JSON may be given in place, as @FILE, or as - for standard input.
Exit status: 0 all well, 1 a message does not code, 2 wrong use or an unreadable file.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the inspector with command-line arguments and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader of our output, such as `head`, has what it wants; nothing more may reach it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except CodecError as error:
        return _complain(str(error), FAILED)
    except (E2Error, OSError) as error:
        return _complain(str(error), MISUSED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m oran.e2",
        description="Look at E2 messages: E2AP, E2SM-KPM and E2SM-RC in aligned PER, as JSON and back.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--kpm-profile", default="standard", metavar="NAME", help="dialect of E2SM-KPM: standard or flexric"
    )
    shown = argparse.ArgumentParser(add_help=False)
    shown.add_argument("--pretty", action="store_true", help="indent the JSON")

    decode = commands.add_parser("decode", parents=[shared, shown], help="print a message as JSON")
    decode.add_argument("type", metavar="TYPE", help="ASN.1 type, as `types` lists them")
    decode.add_argument("hex", metavar="HEX", help="the octets in hexadecimal")
    decode.add_argument(
        "--payloads", action="store_true", help="decode the service model's payloads of an E2AP-PDU too"
    )
    decode.set_defaults(run=_decode)

    encode = commands.add_parser("encode", parents=[shared], help="print the octets of a message in JSON")
    encode.add_argument("type", metavar="TYPE", help="ASN.1 type, as `types` lists them")
    encode.add_argument("json", metavar="JSON", help="the message in JSON, as `decode` prints it")
    encode.set_defaults(run=_encode)

    types = commands.add_parser("types", help="list the ASN.1 types")
    types.set_defaults(run=_types)

    read = commands.add_parser(
        "read",
        parents=[shared, shown],
        help="print every E2 message of a file, one JSON object a line",
        description="FILE is a pcap or pcapng capture (E2 on SCTP or TCP, RMR on TCP) or a list of messages in"
        " hexadecimal, one a line, each after its type where that is not E2AP-PDU; # begins a comment.",
    )
    read.add_argument("file", metavar="FILE", help="the file to read, - for standard input")
    read.add_argument("--no-payloads", action="store_true", help="leave the service models' payloads as octets")
    read.set_defaults(run=_read)
    return parser


def _decode(options: argparse.Namespace) -> int:
    data = parse_hex(_given(options.hex), "HEX")
    if options.payloads and options.type == E2AP:
        value = PayloadReader(options.kpm_profile).show(asn1.decode(data))
    else:
        value = decode_to_json(options.type, data, options.kpm_profile)
    _print(value, options.pretty)
    return 0


def _encode(options: argparse.Namespace) -> int:
    try:
        value = json.loads(_given(options.json))
    except (ValueError, RecursionError) as error:
        return _complain(f"JSON: {error}", FAILED)
    print(encode_from_json(options.type, value, options.kpm_profile).hex())
    return 0


def _types(options: argparse.Namespace) -> int:
    for name in codecs():
        print(name)
    return 0


def _read(options: argparse.Namespace) -> int:
    codecs(options.kpm_profile)
    if options.file == "-":
        return _read_file(sys.stdin.buffer, options)
    with Path(options.file).open("rb") as file:
        return _read_file(file, options)


def _read_file(file: BinaryIO, options: argparse.Namespace) -> int:
    messages = read_messages(file)
    failed = False
    try:
        for line in describe(messages, options.kpm_profile, payloads=not options.no_payloads):
            failed = failed or "error" in line
            _print(line, options.pretty)
    except DecodeError as error:
        return _complain(f"{options.file}: {error}", MISUSED)
    for reason, count in sorted(messages.skipped.items()):
        print(f"skipped {count}: {reason}", file=sys.stderr)
    return FAILED if failed else 0


def describe(
    messages: Iterable[CapturedMessage], profile: str = "standard", *, payloads: bool = True
) -> Iterator[JsonObject]:
    """Each message as a JSON object: its circumstances, its octets and what they hold, or the error."""
    reader = PayloadReader(profile)
    for captured in messages:
        line = _circumstances(captured)
        line["hex"] = captured.data.hex()
        rmr = captured.rmr
        if rmr is not None and not (rmr.mtype in _E2_TYPES and rmr.payload[:1] in _OUTCOMES):
            line["text"] = rmr.text
        else:
            try:
                if payloads and captured.type == E2AP:
                    line["message"] = reader.show(asn1.decode(captured.data), _link(captured))
                else:
                    line["message"] = decode_to_json(captured.type, captured.data, profile)
            except E2Error as error:
                line["error"] = str(error)
        yield line


def _circumstances(captured: CapturedMessage) -> JsonObject:
    line: JsonObject = {"number": captured.number}
    if captured.time_s is not None:
        line["time_s"] = captured.time_s
    line["transport"] = captured.transport
    if captured.source:
        line |= {"source": captured.source, "destination": captured.destination}
    if captured.rmr is not None:
        rmr = captured.rmr
        line["rmr"] = {
            "mtype": rmr.mtype,
            "sub_id": rmr.sub_id,
            "meid": rmr.meid,
            "xid": rmr.xid.decode("latin-1"),
            "source": rmr.source,
        }
    line["type"] = captured.type
    return line


def _link(captured: CapturedMessage) -> str:
    """What tells a node apart from the others of a trace."""
    if captured.rmr is not None:
        return captured.rmr.meid
    return "-".join(sorted((captured.source, captured.destination)))


def _given(text: str) -> str:
    """An argument's text: itself, a file's when it begins with @, standard input's when it is -."""
    if text == "-":
        return sys.stdin.read()
    if text.startswith("@"):
        return Path(text[1:]).read_text()
    return text


def _print(value: JsonValue, pretty: bool) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2 if pretty else None))


def _complain(text: str, status: int) -> int:
    print(f"error: {text}", file=sys.stderr)
    return status
