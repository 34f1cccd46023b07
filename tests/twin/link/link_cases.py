"""Link chains, equipment and a stand-in for the twin that the tests of the link share."""

import numpy as np
from hypothesis import strategies as st

from twin.link import hardware
from twin.link.blocks import blocks
from twin.link.catalogue import PARAMETERS, ChannelClass
from twin.link.demand import Demand
from twin.link.equipment import EquipmentState
from twin.link.plan import ChainGrid, LinkChain, Plan, SlicePolicy
from twin.link.qos import Results

EQUIPMENT = EquipmentState(
    free_prbs=51,
    tx_antennas=2,
    rx_antennas=2,
    compute_flops=1e12,
    max_tx_power_dbm=30,
    channel=ChannelClass.TDL_A,
    snr_db=12.0,
    delay_spread_s=100e-9,
    doppler_hz=50.0,
)
BASE = {"numerology": 1, "prbs": 24, "modulation": "16qam", "code_rate": 0.5}
POLICY = SlicePolicy(slice="1-000001", delay_s=0.01)


def _repaired(values: dict[str, object]) -> LinkChain:
    """A link chain of any values, with the steps that contradict others changed."""
    if "deeprx" in (values["estimator"], values["detector"]):
        values |= {"estimator": "deeprx", "detector": "deeprx", "layers": 1, "transmitter": "qam"}
        values["rx_antennas"] = min(values["rx_antennas"], 2)
    if values["transmitter"] == "deeptx":
        values |= {"layers": 1, "detector": "lmmse"}
        if values["modulation"] in ("qpsk", "256qam"):
            values["modulation"] = "64qam"
    values["rx_antennas"] = max(values["rx_antennas"], values["layers"])
    values["tx_antennas"] = max(values["tx_antennas"], values["layers"])
    if values["tx_antennas"] == 1:
        values["precoder"] = "none"
    if values["precoder"] == "none":
        values["tx_antennas"] = values["layers"]
    return LinkChain(**values)


any_values = st.fixed_dictionaries({name: st.sampled_from(item.values) for name, item in PARAMETERS.items()})
link_chains = any_values.map(_repaired)
_promise = st.floats(1e-6, 1e12)
policies = st.builds(
    SlicePolicy,
    slice=st.one_of(
        st.integers(0, 255).map(str),
        st.tuples(st.integers(0, 255), st.integers(0, 0xFFFFFF)).map(lambda pair: f"{pair[0]}-{pair[1]:06x}"),
    ),
    throughput_bps=_promise,
    delay_s=st.none() | _promise,
    drop_rate=st.none() | st.floats(1e-9, 1),
    weight=st.floats(1e-3, 1e3),
)
plans = st.builds(Plan, link_chain=link_chains, slice_policy=policies)


demands = st.builds(
    Demand,
    max_delay_s=st.sampled_from([5e-4, 2e-3, 5e-3, 0.05]),
    min_throughput_bps=st.floats(5, 9).map(lambda x: 10**x),
    max_ber=st.floats(-7, -1).map(lambda x: 10**x),
    margin=st.sampled_from([0.0, 0.3]),
)
equipments = st.builds(
    EquipmentState,
    free_prbs=st.sampled_from([6, 25, 51]),
    tx_antennas=st.sampled_from([1, 2]),
    rx_antennas=st.sampled_from([1, 2]),
    compute_flops=st.floats(10.5, 14).map(lambda x: 10**x),
    max_tx_power_dbm=st.floats(10, 40),
    channel=st.sampled_from(ChannelClass),
    snr_db=st.floats(-10, 30),
    delay_spread_s=st.just(100e-9),
    doppler_hz=st.just(50.0),
    has_deeptx=st.booleans(),
)


def smooth_twin(chains: ChainGrid, equipment: EquipmentState) -> Results:
    """A closed form in the place of T0: BLER is logistic in the SNR about a capacity-like threshold."""
    snr_db = equipment.resource_element_snr_db(chains)
    efficiency = chains.rate * chains.bits_per_symbol * np.where(chains.layers > 1, 1.15, 1.0)
    gain_db = 3.0 * np.log2(chains.repetition * chains.rx_antennas / chains.layers) + chains.precoder * 1.5
    better_db = chains.estimator * 1.0 + chains.detector * 0.1
    threshold_db = 10 * np.log10(2.0**efficiency - 1.0) - gain_db - better_db
    bler = 1.0 / (1.0 + np.exp(np.clip(1.5 * (snr_db - threshold_db), -300, 300)))
    sent = np.ones_like(bler)
    left = bler.copy()
    for attempt in range(1, 4):
        more = chains.harq_transmissions > attempt
        sent = sent + np.where(more, left, 0.0)
        left = np.where(more, left * bler / (attempt + 1.0), left)
    ber = 0.1 * left
    cut = blocks(chains)
    return Results(
        delay_s=hardware.processing_delay_s(chains, equipment.compute_flops, sent),
        throughput_bps=cut.count * cut.k * (1.0 - left) / hardware.air_time_s(chains, sent),
        ber=ber,
        ber_low=ber / 1.1,
        ber_high=ber * 1.1,
        extrapolated=ber < 1e-6,
        prb_slots=chains.prbs * chains.repetition * sent,
        power_w=hardware.power_w(chains),
        antennas=hardware.antennas(chains),
        compute_flops=hardware.required_flops(chains),
    )
