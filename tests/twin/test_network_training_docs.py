"""The examples of "Training on the twin" in docs/twin.md run as they stand there."""

import re
from pathlib import Path

import pytest
import torch

PAGE = Path(__file__).parents[2] / "docs" / "twin.md"
SECTION = PAGE.read_text(encoding="utf-8").partition("## Training on the twin")[2].partition("\n## ")[0]
EXAMPLES = re.findall(r"```python\n(.*?)```", SECTION, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(3))
def test_the_example_runs(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    exec(compile(EXAMPLES[number], f"{PAGE.name}, example {number + 1}", "exec"), {})
    assert capsys.readouterr().out


def test_there_are_no_others() -> None:
    assert len(EXAMPLES) == 3
