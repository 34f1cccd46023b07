"""E2 messages out of recorded traffic: hex lists, pcap and pcapng files."""

from oran.e2.capture.messages import CapturedMessage, Messages, read_messages

__all__ = ["CapturedMessage", "Messages", "read_messages"]
