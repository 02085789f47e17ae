"""A look at submitted code: whether a GPU selection can do anything with it. Nothing is parsed or run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NO_FRAMEWORK = "No PyTorch or Hugging Face ecosystem detected"
CPU_ONLY = "GPU requirement cannot be determined or is CPU-only"
NO_MODEL = "No model found"
NO_TRAINING_LOOP = "No training loop detected"
"""The four texts that the official client (1.1.7) knows, in the order in which it lists them."""

MAX_CHARACTERS = 1_000_000
"""So much of all files together is looked at: real training scripts are a hundredth of that."""

# What tells each from its absence is inferred: the client's advice beside the texts names some of these words, the
# others are the usual ones of the frameworks. Words, not syntax: a mention in a comment counts, an import does not.
_FRAMEWORKS = frozenset(
    (
        *("torch", "torchvision", "torchaudio", "torchtext", "lightning", "pytorch_lightning", "timm", "fastai"),
        *("transformers", "accelerate", "diffusers", "peft", "trl", "datasets", "sentence_transformers", "evaluate"),
    )
)
_GPU_WORDS = ("cuda", "gpu", "device_map", "trainer(", "accelerator(")
_MODEL_WORDS = (
    *("nn.", "module)", "lightningmodule", "from_pretrained", "from_config", "automodel", "torchvision.models"),
    *("timm.create_model", "models.", "sentencetransformer(", "unet", "model ="),
)
_LOOP_WORDS = (".backward(", "trainer(", ".fit(", ".step(", ".train()")


def code_problem(sources: Iterable[str]) -> str | None:
    """Why a GPU selection refuses the code in `sources` (the script and its local modules), or None.

    The first of the four texts that applies.
    """
    text = _beginning(sources)
    if not any(module.partition(".")[0] in _FRAMEWORKS for module in _imported(text)):
        return NO_FRAMEWORK
    folded = text.lower()
    for problem, words in ((CPU_ONLY, _GPU_WORDS), (NO_MODEL, _MODEL_WORDS), (NO_TRAINING_LOOP, _LOOP_WORDS)):
        if not any(word in folded for word in words):
            return problem
    return None


def _beginning(sources: Iterable[str]) -> str:
    kept, room = [], MAX_CHARACTERS
    for source in sources:
        kept.append(source[:room])
        room -= len(kept[-1])
        if room <= 0:
            break
    return "\n".join(kept)


def _imported(text: str) -> Iterator[str]:
    """The modules that lines of `text` import, wherever they stand."""
    for line in text.splitlines():
        # Several statements may share a line; a script's arguments are even put in front of its first one.
        for statement in line.split(";"):
            keyword, _, rest = statement.strip().partition(" ")
            if keyword == "from":
                yield rest.strip().partition(" ")[0]
            elif keyword == "import":
                yield from (part.strip().partition(" ")[0] for part in rest.split(","))
