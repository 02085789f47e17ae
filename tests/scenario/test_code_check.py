"""The look at a GPU selection's code: which of the four texts it gets, and that it stays a look."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.scenario.code_check import (
    CPU_ONLY,
    MAX_CHARACTERS,
    NO_FRAMEWORK,
    NO_MODEL,
    NO_TRAINING_LOOP,
    code_problem,
)

BY_HAND = "import torch\nnet = torch.nn.Linear(2, 2).cuda()\nnet.weight.sum().backward()\n"
BY_TRAINER = "from transformers import AutoModel, Trainer\nTrainer(AutoModel.from_pretrained('x')).train()\n"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (BY_HAND, None),
        (BY_TRAINER, None),
        ("import sys; sys.argv = ['train.py']\n" + BY_HAND, None),
        ("try:\n    import numpy as np, torch as t\nexcept ImportError: pass\nmodel.cuda()\nnn.x.backward()", None),
        ("import lightning.pytorch as L\nL.Trainer(accelerator='gpu').fit(LightningModule())", None),
        ("", NO_FRAMEWORK),
        ("import torchlike\nmodel.cuda()", NO_FRAMEWORK),
        ("# import torch\nprint('torch')", NO_FRAMEWORK),
        ("import tensorflow as tf", NO_FRAMEWORK),
        ("import torch\nmodel = torch.nn.Linear(1, 1)\nloss.backward()", CPU_ONLY),
        ("import torch\nx = torch.zeros(1, device='cuda')\nloss.backward()", NO_MODEL),
        ("from transformers import AutoModel\nAutoModel.from_pretrained('x', device_map='auto')", NO_TRAINING_LOOP),
    ],
)
def test_the_first_text_that_applies_is_given(code: str, problem: str | None) -> None:
    assert code_problem((code,)) == problem


def test_all_files_together_are_looked_at() -> None:
    assert code_problem(("import model", BY_HAND)) is None


def test_only_the_beginning_is_looked_at() -> None:
    padding = "#" * (MAX_CHARACTERS - 1) + "\n"
    assert code_problem((padding + BY_HAND,)) == NO_FRAMEWORK
    assert code_problem((BY_HAND + padding, "")) is None


@pytest.mark.parametrize("filler", ["\n", " ", "import ", "from ", ";", ",", "import a,", "\t;", "\r", "\u2028"])
def test_no_text_keeps_it_busy(filler: str) -> None:
    text = filler * (2 * MAX_CHARACTERS // len(filler))
    begun = time.process_time()
    assert code_problem((text,)) == NO_FRAMEWORK
    assert time.process_time() - begun < 5


@given(st.lists(st.text(), max_size=4))
def test_any_text_gets_an_answer(sources: list[str]) -> None:
    assert code_problem(sources) in {None, NO_FRAMEWORK, CPU_ONLY, NO_MODEL, NO_TRAINING_LOOP}
