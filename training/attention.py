"""Attention in full precision, for networks that learn on CPUs.

torch's fused attention has a gradient in half precision that is several times slower on CPUs than in full
precision, and takes most of a step of training. So under autocast attention alone is computed in float32.
"""

import torch
from torch import Tensor, nn

IN_FULL = "sdpa_float32"
"""The name that `transformers` knows it by."""


def in_full(network: nn.Module) -> None:
    """Let a model of `transformers` attend in float32, where it is on a CPU and attends by torch's attention."""
    if getattr(network, "device", None) != torch.device("cpu"):
        return
    if getattr(getattr(network, "config", None), "_attn_implementation", "") != "sdpa":
        return
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(IN_FULL, _attend)
    AttentionMaskInterface.register(IN_FULL, sdpa_mask)
    # Adapters wrap a model in a class of no relation, which passes this on: so there is no type to name here.
    network.set_attn_implementation(IN_FULL)  # type: ignore[operator]


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """As `sdpa_attention_forward`, from and to the precision of the query."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    mask, whole = attention_mask, (query, key, value)
    if query.device.type == "cpu":
        whole = (query.float(), key.float(), value.float())
        mask = mask.float() if mask is not None and mask.is_floating_point() else mask
    with torch.autocast("cpu", enabled=False):
        found, _weights = sdpa_attention_forward(module, *whole, mask, dropout, scaling, is_causal)
    return found.to(query.dtype), None
