"""Our own LDPC codec of 5G NR (TS 38.212): codes, encoder, layered min-sum decoder, tables of what they reach."""

from twin.link.ldpc.code import LdpcCode, code
from twin.link.ldpc.codec import decode, encode

__all__ = ["LdpcCode", "code", "decode", "encode"]
