"""Links on which the twin's tiers are tried: other delay spreads, Dopplers and widths than the tables'."""

from twin.link.catalogue import ChannelClass
from twin.link.validation import Case

A, C, D, FLAT = ChannelClass.TDL_A, ChannelClass.TDL_C, ChannelClass.TDL_D, ChannelClass.AWGN

KNOWN = (
    Case.of("QPSK 1/2 flat", FLAT, 0.0, 0.0, modulation="qpsk", code_rate=0.5),
    Case.of("64QAM 0.7 flat", FLAT, 0.0, 0.0, modulation="64qam", code_rate=0.7),
    Case.of("QPSK 0.3 LS 1x1", A, 70e-9, 17.0, modulation="qpsk", code_rate=0.3, estimator="ls"),
    Case.of("QPSK 0.5 1x2", C, 230e-9, 90.0, modulation="qpsk", code_rate=0.5, rx_antennas=2),
    Case.of("QPSK 0.5 LS 1x2", C, 600e-9, 210.0, modulation="qpsk", code_rate=0.5, rx_antennas=2, estimator="ls"),
    Case.of("16QAM 0.5 1x2", C, 230e-9, 17.0, modulation="16qam", code_rate=0.5, rx_antennas=2, prbs=24),
    Case.of("16QAM 0.5 LS 1x2", A, 140e-9, 60.0, modulation="16qam", code_rate=0.5, rx_antennas=2, estimator="ls"),
    Case.of("16QAM 0.4 1x4", C, 90e-9, 150.0, modulation="16qam", code_rate=0.4, rx_antennas=4),
    Case.of("64QAM 0.6 1x2", D, 60e-9, 30.0, modulation="64qam", code_rate=0.6, rx_antennas=2),
    Case.of("64QAM 0.5 2x2", A, 110e-9, 25.0, modulation="64qam", code_rate=0.5, layers=2, tx_antennas=2,
            rx_antennas=2),
    Case.of("16QAM 0.6 ZF 2x4", C, 180e-9, 40.0, modulation="16qam", code_rate=0.6, layers=2, tx_antennas=2,
            rx_antennas=4, detector="zf"),
    Case.of("256QAM 0.7 1x4", D, 45e-9, 12.0, modulation="256qam", code_rate=0.7, rx_antennas=4, prbs=24),
    Case.of("16QAM 0.5 SVD 4x2", A, 120e-9, 20.0, modulation="16qam", code_rate=0.5, layers=2, tx_antennas=4,
            rx_antennas=2, precoder="svd"),
    Case.of("16QAM 0.5 DeepRx 1x2", C, 150e-9, 80.0, modulation="16qam", code_rate=0.5, rx_antennas=2,
            estimator="deeprx", detector="deeprx", prbs=6),
    Case.of("QPSK 0.4 polar 1x2", A, 80e-9, 30.0, modulation="qpsk", code_rate=0.4, rx_antennas=2, code="polar",
            prbs=6),
)  # fmt: skip
"""Those that how the tables are laid out and interpolated was chosen by; no number was fitted to them."""

FRESH = (
    Case.of("QPSK 0.2 LS 1x1", D, 100e-9, 50.0, modulation="qpsk", code_rate=0.2, estimator="ls", prbs=40),
    Case.of("64QAM 0.8 1x4", A, 300e-9, 10.0, modulation="64qam", code_rate=0.8, rx_antennas=4, prbs=3),
    Case.of("16QAM 0.3 2x4", C, 400e-9, 120.0, modulation="16qam", code_rate=0.3, layers=2, tx_antennas=2,
            rx_antennas=4, prbs=50),
    Case.of("256QAM 0.5 SVD 2x2", C, 60e-9, 35.0, modulation="256qam", code_rate=0.5, tx_antennas=2,
            rx_antennas=2, precoder="svd", prbs=8),
    Case.of("16QAM 0.5 DeepTx 1x2", A, 200e-9, 70.0, modulation="16qam", code_rate=0.5, rx_antennas=2,
            transmitter="deeptx", prbs=18),
    Case.of("64QAM 0.4 DeepRx 1x1", A, 50e-9, 100.0, modulation="64qam", code_rate=0.4, estimator="deeprx",
            detector="deeprx", prbs=4),
    Case.of("QPSK 0.6 15 kHz 1x2", C, 1000e-9, 250.0, modulation="qpsk", code_rate=0.6, rx_antennas=2, prbs=30,
            numerology=0),
    Case.of("16QAM 0.7 120 kHz 1x2", A, 30e-9, 400.0, modulation="16qam", code_rate=0.7, rx_antennas=2, prbs=1,
            numerology=3),
    Case.of("16QAM 0.4 SVD 4x4", D, 80e-9, 20.0, modulation="16qam", code_rate=0.4, layers=4, tx_antennas=4,
            rx_antennas=4, precoder="svd", prbs=10),
    Case.of("16QAM 0.5 EP 2x2", C, 150e-9, 30.0, modulation="16qam", code_rate=0.5, layers=2, tx_antennas=2,
            rx_antennas=2, detector="ep", prbs=4),
)  # fmt: skip
"""Those that were added when that was settled."""

COPIES = (
    Case.of("64QAM 0.6 polar x8 flat", FLAT, 0.0, 0.0, modulation="64qam", code_rate=0.6, code="polar", prbs=4,
            repetition=8),
    Case.of("64QAM 0.7 x8 flat", FLAT, 0.0, 0.0, modulation="64qam", code_rate=0.7, repetition=8),
    Case.of("QPSK 0.1 LS x8 flat", FLAT, 0.0, 0.0, modulation="qpsk", code_rate=0.1, estimator="ls", prbs=4,
            repetition=8),
    Case.of("QPSK 0.2 LS polar 1x2 x8", C, 100e-9, 50.0, modulation="qpsk", code_rate=0.2, code="polar", prbs=4,
            estimator="ls", rx_antennas=2, repetition=8),
    Case.of("16QAM 0.1 LS polar 1x1 x8", C, 200e-9, 50.0, modulation="16qam", code_rate=0.1, code="polar", prbs=6,
            estimator="ls", repetition=8),
    Case.of("QPSK 0.1 LS polar SVD 4x1 x8", A, 100e-9, 20.0, modulation="qpsk", code_rate=0.1, code="polar",
            estimator="ls", tx_antennas=4, precoder="svd", prbs=4, repetition=8),
    Case.of("16QAM 0.3 LS polar SVD 4x4 x4", A, 100e-9, 30.0, modulation="16qam", code_rate=0.3, code="polar",
            layers=2, tx_antennas=4, rx_antennas=4, precoder="svd", estimator="ls", prbs=4, repetition=4),
    Case.of("16QAM 0.3 polar 1x1 x4", C, 200e-9, 50.0, modulation="16qam", code_rate=0.3, code="polar", prbs=4,
            repetition=4),
    Case.of("QPSK 0.5 1x1 x2", C, 100e-9, 50.0, modulation="qpsk", code_rate=0.5, repetition=2),
    Case.of("64QAM 0.9 1x2 x4", C, 100e-9, 50.0, modulation="64qam", code_rate=0.9, rx_antennas=2, repetition=4),
    Case.of("16QAM 0.2 LS 1x2 x8", D, 100e-9, 50.0, modulation="16qam", code_rate=0.2, estimator="ls",
            rx_antennas=2, repetition=8),
    Case.of("QPSK 0.5 ZF polar 2x2 x4", C, 100e-9, 30.0, modulation="qpsk", code_rate=0.5, code="polar", layers=2,
            tx_antennas=2, rx_antennas=2, detector="zf", prbs=4, repetition=4),
    Case.of("16QAM 0.6 DeepTx x2", A, 200e-9, 70.0, modulation="16qam", code_rate=0.6, transmitter="deeptx",
            rx_antennas=2, prbs=6, repetition=2),
)  # fmt: skip
"""Blocks that are sent more than once, whose copies the tiers once counted for too much."""

RARE = (
    Case.of("QPSK 0.1 LS 1x1", C, 100e-9, 50.0, modulation="qpsk", code_rate=0.1, estimator="ls", prbs=6),
    Case.of("16QAM 0.2 LS SVD 2x1", C, 100e-9, 50.0, modulation="16qam", code_rate=0.2, estimator="ls", prbs=6,
            tx_antennas=2, precoder="svd"),
    Case.of("64QAM 0.1 LS 1x2", C, 100e-9, 50.0, modulation="64qam", code_rate=0.1, estimator="ls", prbs=6,
            rx_antennas=2),
    Case.of("256QAM 0.1 1x1", A, 100e-9, 50.0, modulation="256qam", code_rate=0.1, prbs=6),
    Case.of("256QAM 0.9 1x2", C, 100e-9, 50.0, modulation="256qam", code_rate=0.9, prbs=6, rx_antennas=2),
    Case.of("16QAM 0.3 2x2", C, 100e-9, 50.0, modulation="16qam", code_rate=0.3, prbs=6, layers=2, tx_antennas=2,
            rx_antennas=2),
    Case.of("64QAM 0.5 LS 1x4", C, 100e-9, 50.0, modulation="64qam", code_rate=0.5, estimator="ls", prbs=6,
            rx_antennas=4),
    Case.of("QPSK 0.5 1x1 fast", C, 100e-9, 300.0, modulation="qpsk", code_rate=0.5, prbs=6),
    Case.of("16QAM 0.3 DeepRx 1x1", C, 100e-9, 50.0, modulation="16qam", code_rate=0.3, estimator="deeprx",
            detector="deeprx", prbs=6),
    Case.of("QPSK 0.1 polar 1x2", C, 100e-9, 50.0, modulation="qpsk", code_rate=0.1, code="polar", prbs=4,
            rx_antennas=2),
)  # fmt: skip
"""Low rates and deep fades, where T1 and T0 were once off by up to a decade."""
