"""Equipment states that tests share."""

from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentState

USUAL = EquipmentState(
    free_prbs=51,
    tx_antennas=2,
    rx_antennas=2,
    compute_flops=1e13,
    max_tx_power_dbm=30.0,
    channel=ChannelClass.TDL_C,
    snr_db=15.0,
    delay_spread_s=100e-9,
    doppler_hz=50.0,
)
