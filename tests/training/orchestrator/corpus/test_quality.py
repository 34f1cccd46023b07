"""Each text that is dropped has one stated reason; English prose and standards stay."""

import dataclasses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.training.orchestrator.corpus.samples import PROSE
from training.orchestrator.corpus.errors import CorpusError
from training.orchestrator.corpus.quality import REASONS, Quality

STANDARD = (
    "The UE shall monitor the PDCCH candidates in each slot. If the field is absent, the value 0 applies. The MCS "
    "index I_MCS determines the modulation order Q_m and the target code rate R according to Table 5.1.3.1-1. "
    "mu | N_slot | N_frame\n0 | 14 | 10\n1 | 14 | 20\n"
)
OTHERS = {
    "German": "Der Empfänger schätzt den Kanal aus bekannten Symbolen und entscheidet danach, welche Bits "
    "gesendet wurden. Wenn das Signal zu schwach ist, wird der Block noch einmal übertragen und mit "
    "dem ersten kombiniert, was die Fehlerrate deutlich senkt.",
    "French": "Le récepteur estime le canal à partir des symboles connus et décide ensuite quels bits ont été "
    "envoyés. Si le signal est trop faible, le bloc est transmis encore une fois et combiné avec le "
    "premier, ce qui réduit nettement le taux d'erreur.",
    "Spanish": "El receptor estima el canal a partir de los símbolos conocidos y decide después qué bits se han "
    "enviado. Si la señal es demasiado débil, el bloque se transmite otra vez y se combina con el "
    "primero, lo que reduce mucho la tasa de errores.",
    "Dutch": "De ontvanger schat het kanaal met bekende symbolen en beslist daarna welke bits er verzonden "
    "zijn. Als het signaal te zwak is, wordt het blok nog een keer verzonden en met het eerste "
    "gecombineerd, wat het aantal fouten veel kleiner maakt.",
    "Chinese": "接收机根据已知的参考信号估计信道，然后判决发送的比特。如" * 9,
}


@pytest.mark.parametrize("text", [PROSE, STANDARD])
def test_english_stays(text: str) -> None:
    assert Quality().reason(text) is None


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages_go(language: str) -> None:
    assert Quality().reason(OTHERS[language]) in ("not English", "odd words")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Too little.", "short"),
        ("0.1 | 2 | 3.5 | -7\n" * 30, "few letters"),
        ("MAZMKQPSRTWXUVBNJKLHGFDSQWERTYUIOPASDFGHJKLZXCVBNM\n" * 9, "odd words"),
        ("a b c d e f g " * 40, "odd words"),
        ("This line comes again and again in the text.\n" * 20, "repetition"),
    ],
)
def test_a_bad_text_has_its_reason(text: str, reason: str) -> None:
    assert Quality().reason(text) == reason


@given(st.text(st.characters(codec="utf-8"), max_size=600))
@example(" ")
def test_any_text_is_kept_or_has_a_reason(text: str) -> None:
    assert Quality(least_characters=1).reason(text) in (None, *REASONS)


@pytest.mark.parametrize("field", ["least_english", "least_letters", "most_repetition"])
def test_a_share_beyond_its_range_is_refused(field: str) -> None:
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(CorpusError, match=field):
            dataclasses.replace(Quality(), **{field: value})
