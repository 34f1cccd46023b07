import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, PretrainedConfig, Qwen2Config, Qwen2ForCausalLM

from tests.training.orchestrator.small import made
from training.orchestrator import adapters, memory
from training.orchestrator.adapters import Lora
from training.orchestrator.lm import Held, Lm
from training.orchestrator.memory import Load, Weights

LOAD = Load(texts=2, length=128, answers=3, context=64)
SIZES = {"vocab_size": 300, "hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4}
QWEN_7B = Qwen2Config(
    vocab_size=152064,
    hidden_size=3584,
    intermediate_size=18944,
    num_hidden_layers=28,
    num_attention_heads=28,
    num_key_value_heads=4,
    tie_word_embeddings=False,
)


def qwen(layers: int, heads: int = 2) -> Qwen2Config:
    return Qwen2Config(**SIZES, num_hidden_layers=layers, num_key_value_heads=heads)


def kept(network: Qwen2ForCausalLM) -> int:
    """Bytes that torch keeps for the gradients of a forward pass of 2 x 128 tokens, weights left out."""
    weights = {item.untyped_storage().data_ptr() for item in network.parameters()}
    seen: dict[int, tuple[int, Tensor]] = {}

    def keep(item: Tensor) -> Tensor:
        storage = item.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = (storage.nbytes(), item)
        return item

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda item: item):
        network.get_decoder()(input_ids=torch.zeros((2, 128), dtype=torch.long), use_cache=False)
    return sum(size for size, _ in seen.values())


@pytest.mark.parametrize("lora", [None, Lora(rank=3)])
def test_weights_are_those_of_the_real_network(lora: Lora | None) -> None:
    lm = made()
    network = adapters.begun(lm.network, lora) if lora else lm.network
    found = Weights.of(lm.network.config, Held(lora=lora))
    assert found.all == sum(item.numel() for item in network.parameters())
    assert found.learning == sum(item.numel() for item in network.parameters() if item.requires_grad)
    assert found.head == 0


def test_any_architecture_is_counted() -> None:
    sizes = LlamaConfig(**SIZES, num_hidden_layers=1, num_key_value_heads=4, tie_word_embeddings=False)
    assert Weights.of(sizes, Held()).head == 300 * 64


def test_qwen_has_the_seven_billion_weights_that_it_is_said_to_have() -> None:
    assert Weights.of(QWEN_7B, Held()).all == 7_615_616_512


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_a_layer_keeps_what_torch_keeps(dtype: str, heads: int) -> None:
    one, two = (Qwen2ForCausalLM(qwen(layers, heads)).to(getattr(torch, dtype)) for layers in (1, 2))
    measured = (kept(two) - kept(one)) / 256
    assert memory.of_layer(qwen(1, heads), getattr(torch, dtype).itemsize) == pytest.approx(measured, rel=0.03)


def test_the_cache_is_as_large_as_that_of_a_session() -> None:
    lm = made()
    session = lm.begin([[5] * 64], each=3)
    layers = session._cache.layers  # type: ignore[attr-defined]
    measured = sum(item.nbytes for layer in layers for item in (layer.keys, layer.values))
    assert memory.cache(lm.network.config, Held(), LOAD) == measured


@pytest.mark.parametrize("lora", [None, Lora()])
def test_more_gpus_share_the_states_and_never_take_more(lora: Lora | None) -> None:
    held = Held(dtype="bfloat16", recompute=True, lora=lora)
    own = [memory.estimate(QWEN_7B, held, LOAD, gpus) for gpus in (2, 8)]
    assert own[0].optimiser == pytest.approx(4 * own[1].optimiser)
    assert own[0].total > own[1].total
    assert own[0].sampler == own[1].sampler == 2 * Weights.of(QWEN_7B, held).all


def test_states_are_those_of_deepspeed_s_estimate() -> None:
    own = memory.estimate(QWEN_7B, Held(dtype="bfloat16"), LOAD, 8)
    weights = Weights.of(QWEN_7B, Held())
    expected = 18 * weights.all / 8 + 4 * weights.largest
    assert own.weights + own.gradients + own.optimiser + own.gathered == pytest.approx(expected)


def test_adapters_spare_states_reference_and_critic() -> None:
    whole, alone = (
        memory.estimate(QWEN_7B, Held(dtype="bfloat16", lora=lora), LOAD, 1) for lora in (None, Lora())
    )
    assert alone.optimiser < 0.01 * whole.optimiser
    assert alone.reference < 0.01 * whole.reference
    assert alone.critic == 0 < whole.critic


def test_what_is_computed_again_is_not_kept() -> None:
    sizes: PretrainedConfig = QWEN_7B
    kept_all, few = (memory.activations(sizes, Held(recompute=again), LOAD) for again in (False, True))
    assert few < 0.3 * kept_all


def test_a_whole_network_lies_on_each_gpu_in_float32() -> None:
    lm: Lm = made()
    one, two = (memory.estimate(lm.network.config, Held(), LOAD, gpus) for gpus in (1, 2))
    assert one == two
    assert one.weights == 4e6 * lm.parameters_million()
