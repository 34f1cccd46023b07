"""Programs: a plan's program gives the plan back; a hostile program gives a refusal with line and reason."""

import ast
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.link.link_cases import BASE, EQUIPMENT, POLICY, plans
from twin.link.catalogue import SLICE_FIELDS, STEPS
from twin.link.errors import SandboxRefusal
from twin.link.grammar import MAX_SOURCE
from twin.link.interpreter import interpret
from twin.link.orchestration import Orchestration
from twin.link.plan import LinkChain, Plan
from twin.link.program import render
from twin.link.sandbox import Sandbox, SandboxLimits

PLAN = Plan(link_chain=LinkChain(**BASE), slice_policy=POLICY)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as box:
        yield box


@given(plans)
@settings(max_examples=50)
def test_a_rendered_plan_comes_back(sandbox: Sandbox, plan: Plan) -> None:
    assert sandbox.run(render(plan)) == plan


def test_many_programs_come_back_in_order(sandbox: Sandbox) -> None:
    chains = [LinkChain(**(BASE | {"prbs": prbs})) for prbs in range(1, 40)]
    asked = [Plan(link_chain=chain, slice_policy=POLICY) for chain in chains]
    sources = [render(plan) for plan in asked]
    sources[7] = "import os"
    answers = sandbox.run_many(sources)
    assert isinstance(answers[7], SandboxRefusal)
    assert answers[:7] + answers[8:] == asked[:7] + asked[8:]


def test_a_program_may_compute_with_the_equipment(sandbox: Sandbox) -> None:
    source = """
rates = {"qpsk": 0.5, "16qam": 0.7}
best = "qpsk"
for name, needed_db in [("qpsk", 2), ("16qam", 11.5), ("64qam", 18)]:
    if name not in rates:
        continue
    if twin.equipment.snr_db >= needed_db and not needed_db > 15:
        best = name
prbs = 0
for count in range(1, 276):
    if count > twin.equipment.free_prbs // 2 or count ** 2 > 400:
        break
    prbs += 1
link = twin.link(1, max(prbs, 4))
link.encode(code_rate=rates[best])
link.modulate(best)
link.amplify(min(23, round(twin.equipment.max_tx_power_dbm)))
link.estimate("ls", 2 if twin.equipment.rx_antennas >= 2 else 1)
twin.slice("2-000001", delay_s=10 / 1000)
twin.transmit(link)
"""
    plan = sandbox.run(source, EQUIPMENT)
    assert isinstance(plan, Plan), plan
    chain = plan.link_chain
    assert (chain.modulation, chain.code_rate, chain.prbs, chain.rx_antennas) == ("16qam", 0.7, 20, 2)
    assert plan.slice_policy.delay_s == 0.01


LINK = "link = twin.link(1, 24)\nlink.encode(code_rate=0.5)\nlink.modulate('qpsk')\n"
SEND = "twin.slice('1', delay_s=0.01)\ntwin.transmit(link)\n"


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("", 0, "without twin.transmit"),
        (LINK, 0, "without twin.transmit"),
        (LINK + "twin.transmit(link)", 4, "slice is missing"),
        ("link = twin.link(1, 24)\n" + SEND, 3, "step encode: code_rate is missing"),
        ("link = twin.link(1, 24)\nlink.encode(code_rate=0.55)\nlink.modulate('qpsk')\n" + SEND, 2, "0.55"),
        ("link = twin.link(1, 999)\nlink.encode(code_rate=.5)\nlink.modulate('qpsk')\n" + SEND, 1, "1..275"),
        (LINK + "link.precode(layers=2)\n" + SEND, 4, "layers is 2"),
        (LINK + "link.modulate('16qam')\n" + SEND, 4, "modulate was called already, on line 3"),
        (LINK + SEND + "twin.transmit(link)", 6, "transmit was called already, on line 5"),
        (LINK + "link.detect(detector='zf', colour=3)", 4, "takes no 'colour'; it takes detector"),
        (LINK + "link.detect('zf', 'zf')", 4, "at most 1"),
        (LINK + "link.detect('zf', detector='zf')", 4, "twice"),
        (LINK + "link.detect(detector=[1])", 4, "detector is a list"),
        (LINK + "link.detect(detector=link)", 4, "detector is a link"),
        (LINK + "link.fly()", 4, "a link has no 'fly'; it has encode, modulate"),
        (LINK + "twin.transmit(3)", 4, "transmit takes one link"),
        (LINK + "twin.slice('1-zzz', delay_s=1)\ntwin.transmit(link)", 4, "step slice"),
        ("twin.link(1, 24, 3)", 1, "at most 2 arguments"),
        ("twin.evaluate()", 1, "twin has no 'evaluate'"),
        ("x = y", 1, "there is no 'y'"),
        ("x = 1 +", 1, "no Python"),
        ("x = 1\ny = 1 / 0", 2, "division"),
        ("x = {'a': 1}['b']", 1, "no entry"),
        ("x = [1, 2][2]", 1, "no place in a list of 2"),
        ("a, b = [1, 2, 3]", 1, "3 values"),
        ("twin.equipment.snr_db", 1, "it has nothing"),
    ],
)
def test_a_wrong_program_is_refused_with_line_and_reason(
    sandbox: Sandbox, source: str, line: int, words: str
) -> None:
    refusal = sandbox.run(source)
    assert isinstance(refusal, SandboxRefusal)
    assert refusal.line == line
    assert words in str(refusal)


def test_the_short_program_of_these_tests_is_a_plan(sandbox: Sandbox) -> None:
    assert isinstance(sandbox.run(LINK + SEND), Plan)


def test_a_plan_beyond_the_equipment_is_refused_at_its_line(sandbox: Sandbox) -> None:
    refusal = sandbox.run(LINK + "link.amplify(40)\n" + SEND, EQUIPMENT)
    assert isinstance(refusal, SandboxRefusal)
    assert refusal.line == 4
    assert "30 dBm" in refusal.reason
    assert isinstance(sandbox.run(LINK + "link.amplify(40)\n" + SEND), Plan)


HOSTILE = {
    "endless loop": "while True:\n    pass",
    "endless loop over a list": "x = [1]\nfor i in x:\n    x.append(i)",
    "long loop": "for i in range(10**12):\n    pass",
    "nested loops": "for a in range(900):\n for b in range(900):\n  for c in range(900):\n   x = 1",
    "memory bomb": "x = [0] * 10**10",
    "text bomb": "x = 'a' * 10**10",
    "doubling text": "x = 'aaaa'\nfor i in range(100):\n    x += x",
    "doubling list": "x = [1]\nfor i in range(100):\n    x = x + x",
    "sharing list": "x = [1]\nfor i in range(100):\n    x = [x, x]\ny = x == x",
    "huge number": "x = 9**9**9",
    "growing number": "x = 10\nfor i in range(90):\n    x = x * x",
    "shifted number": "x = 1 << 10**9",
    "huge literal": "x = " + "9" * 4000,
    "hexadecimal literal": "x = 0x" + "f" * 8000,
    "rounding to a huge power": "x = round(5, -10**15)",
    "huge float": "x = 1e308 * 10",
    "infinite float": "x = 1e999",
    "complex number": "x = 1j",
    "root of a negative number": "x = (-1) ** 0.5",
    "comprehension": "x = [a for a in range(9)]",
    "comprehension bomb": "x = {a + b: [c for c in range(10**9)] for a in range(10**9) for b in range(10**9)}",
    "generator": "x = sum(a for a in range(10**12))",
    "class of a tuple": "x = ().__class__.__bases__[0].__subclasses__()",
    "class of the API": "x = twin.__class__",
    "globals of a method": "x = twin.link.__globals__",
    "dictionary of the API": "x = twin.__dict__",
    "private name": "x = _thing",
    "builtins": "x = __builtins__",
    "import call": "__import__('os').system('true')",
    "import": "import os",
    "import from": "from os import system",
    "import in a branch never taken": "if 0:\n    import os",
    "getattr": "x = getattr(twin, '__class__')",
    "setattr": "setattr(twin, 'sent', 1)",
    "vars": "x = vars(twin)",
    "eval": "eval('1')",
    "exec": "exec('import os')",
    "compile": "compile('1', '', 'eval')",
    "open": "open('/etc/passwd')",
    "type": "x = type('X', (), {})",
    "f-string attribute": "x = f'{twin.__class__}'",
    "format attribute": "x = '{0.__class__}'.format(twin)",
    "format_map": "x = '{a.__class__}'.format_map({'a': twin})",
    "percent format": "x = '%999999999d' % 1",
    "attribute of a number": "x = (1).real",
    "attribute of the policy": "x = twin.policy",
    "attribute of a link": "link = twin.link(1, 24)\nx = link.arguments",
    "assigning an attribute": "twin.sent = 1",
    "assigning an entry": "x = [1]\nx[0] = x",
    "assigning twin": "twin = 1",
    "assigning a function": "range = 1",
    "shadowing by a loop": "for twin in [1, 2]:\n    pass",
    "deleting": "del twin",
    "function": "def f():\n    return f()\nf()",
    "decorator": "@twin.link\ndef f():\n    pass",
    "class": "class X(object):\n    pass",
    "lambda": "f = lambda: 0",
    "recursive lambda": "f = lambda f: f(f)\nf(f)",
    "walrus": "x = (y := 1)",
    "async function": "async def f():\n    await f()",
    "async loop": "async for x in y:\n    pass",
    "async with": "async with x:\n    pass",
    "await": "await x",
    "try that swallows the limit": "for i in [1]:\n try:\n  x = [0] * 10**10\n except BaseException:\n  pass",
    "try": "try:\n    x = 1 / 0\nexcept:\n    pass",
    "try star": "try:\n    pass\nexcept* ValueError:\n    pass",
    "raise": "raise SystemExit",
    "with": "with twin as t:\n    pass",
    "yield": "yield 1",
    "return": "return 1",
    "global": "global twin",
    "assert": "assert 0",
    "match": "match twin:\n    case object():\n        pass",
    "star": "a, *b = [1, 2]",
    "star argument": "twin.link(*[1, 24])",
    "star names": "twin.link(**{'prbs': 24})",
    "star table": "x = {**{}}",
    "slice": "x = [1, 2][0:1]",
    "set": "x = {1, 2}",
    "annotation": "x: int = 1",
    "bytes": "x = b'x'",
    "ellipsis": "x = ...",
    "break outside": "break",
    "continue outside": "continue",
    "else of a loop": "for x in [1]:\n    pass\nelse:\n    pass",
    "print": "print('x' * 10**9)",
    "print flood": "for i in range(1000):\n    print(i)",
    "exit": "exit()",
    "help": "help()",
    "input": "x = input()",
    "deep brackets": "x = " + "(" * 4000 + ")" * 4000,
    "deep lists": "x = " + "[" * 90 + "]" * 90,
    "deep signs": "x = " + "-" * 9000 + "1",
    "deep not": "x = " + "not " * 2000 + "1",
    "deep attributes": "x = a" + ".b" * 4000,
    "deep calls": "x = a" + "()" * 4000,
    "deep sum": "x = 1" + "+1" * 4000,
    "deep blocks": "".join(" " * depth + "if 1:\n" for depth in range(90)) + " " * 90 + "x = 1",
    "deep else": "if 0:\n    x = 1\n" + "elif 0:\n    x = 1\n" * 500,
    "giant source": "x = 1\n" * 10**6,
    "giant list": "x = [" + "1," * 4000 + "]",
    "giant text": "x = '" + "a" * 9000 + "'",
    "giant range": "x = range(1000000)",
    "step 0": "x = range(1, 2, 0)",
    "null byte": "x = 1\0",
    "lone surrogate": "x = '\ud800'",
    "form feed and tabs": "if 1:\n\tx = 1\n        y = 2",
    "encoding line": "# -*- coding: unknown -*-\nimport os",
    "calling a number": "(1)(2)",
    "calling a text": "'x'()",
    "calling equipment": "twin.equipment()",
    "calling twin": "twin()",
    "comparing objects": "x = twin == twin",
    "ordering texts": "x = 'a' < 'b'",
    "membership of an object": "x = twin in [twin]",
    "object as a key": "x = {twin: 1}",
    "object as a truth": "if twin:\n    pass",
    "is": "x = 1 is 1",
    "truth as a number": "x = True + True",
    "matrix product": "x = 1 @ 1",
    "bit operation": "x = 1 | 2",
    "inversion": "x = ~1",
    "number out of a text": "x = int('9' * 10**9)",
    "long number out of a text": "x = int('99999999999999999999')",
    "sum of min": "x = min([twin])",
    "names for a function": "x = max(1, key=2)",
    "keyword for a link": "twin.transmit(link=1)",
    "method as a value": "x = twin.link\nx = x + 1",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_program_is_refused(sandbox: Sandbox, source: str) -> None:
    refusal = sandbox.run(source + "\n" + LINK + SEND)
    assert isinstance(refusal, SandboxRefusal)
    assert refusal.reason
    assert len(str(refusal)) < 600
    assert "ended its process" not in refusal.reason, "the language, not the process, must hold it"
    assert sandbox.run(render(PLAN)) == PLAN, "the sandbox must serve the next program"


WORDS = r"""
twin link . ( ) [ ] { } , : = == + - * ** / // % < in not and or if else for pass break x y 1 2.5 'a' range 24
encode code_rate __class__ import while lambda := @ # \ twin.link(1,24) 10**9 None True twin.transmit(link)
"""
fragments = st.sampled_from([*WORDS.split(), "\n", "\n ", "\n  "])


@given(st.lists(fragments, max_size=40).map(" ".join) | st.text(max_size=200))
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_any_text_is_refused_or_run_to_its_end(source: str) -> None:
    with contextlib.suppress(SandboxRefusal):
        assert isinstance(interpret(source), Orchestration)


@given(plans, st.data())
def test_a_program_cut_anywhere_is_refused(plan: Plan, data: st.DataObject) -> None:
    source = render(plan).rstrip()
    with pytest.raises(SandboxRefusal):
        interpret(source[: data.draw(st.integers(0, len(source) - 1))])


def test_a_program_names_every_parameter_once() -> None:
    calls = [node for node in ast.walk(ast.parse(render(PLAN))) if isinstance(node, ast.Call)]
    names = [keyword.arg for call in calls for keyword in call.keywords]
    assert len(names) == len(set(names))
    assert set(names) >= {parameter.name for step in STEPS for parameter in step.parameters}
    assert set(names) <= {parameter.name for step in STEPS for parameter in step.parameters} | set(SLICE_FIELDS)
    assert len(render(PLAN)) < MAX_SOURCE / 4


def test_a_late_program_is_killed_and_the_next_one_runs() -> None:
    busy = "for a in range(1000):\n    x = [" + "1," * 40 + "]\n"
    with Sandbox(limits=SandboxLimits(time_s=0.001)) as box:
        refusal = box.run(busy)
        assert isinstance(refusal, SandboxRefusal)
        assert "longer than 0.001 s" in str(refusal)
        assert isinstance(box.run(busy), SandboxRefusal)


def test_a_dead_worker_is_replaced(sandbox: Sandbox) -> None:
    worker = sandbox._workers.queue[-1]
    sandbox.run(render(PLAN))
    assert worker._process is not None
    worker._process.kill()
    worker._process.wait()
    assert sandbox.run(render(PLAN)) == PLAN


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/hostname')",
        "open('/tmp/ranloop_escape', 'w')",
        "import socket; socket.socket()",
        "import os; os.pipe()",
        "import subprocess; subprocess.run(['true'])",
        "bytearray(10**9)",
    ],
)
def test_the_process_has_given_up_its_rights(attempt: str) -> None:
    code = f"""
import os, socket, subprocess
from twin.link.sandbox_worker import give_up_rights
give_up_rights({256 * 2**20})
try:
    {attempt}
except (OSError, MemoryError) as error:
    print("refused")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "refused\n"


def test_the_process_ends_when_it_takes_too_much_processor_time() -> None:
    code = "from twin.link.sandbox_worker import allow_cpu; allow_cpu(1)\nwhile True: pass"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert run.returncode < 0


@pytest.mark.parametrize(
    "limits",
    [{"time_s": 0.0}, {"time_s": float("nan")}, {"cpu_s": 0}, {"memory_byte": 1}],
)
def test_limits_out_of_range_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(limits))):
        replace(SandboxLimits(), **limits)
    with pytest.raises(ValueError, match="workers"):
        Sandbox(workers=0)
