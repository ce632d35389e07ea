"""Sizes of encoder and predictor, and what one step of each kind of training costs."""

from dataclasses import dataclass
from functools import cached_property

from breakeven import check
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Part, Reading
from breakeven.cost.training import training_flops
from breakeven.errors import argument_error
from breakeven.plan.teaching.clips import Scene

_READING = Reading(tokens=0)
"""Of a network of images, whose positions are fixed."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Of the models; encoders of teacher and student have the same."""

    scene: Scene
    width: int
    layers: int
    heads: int
    predictor_width: int
    predictor_layers: int
    batch_size: int

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "predictor_layers", "batch_size"):
            check.at_least(name, getattr(self, name), 1)
        for name in ("width", "predictor_width"):
            value = getattr(self, name)
            if value < 6 or value % 2 or value % self.heads:
                rule = f"be even, at least 6 and a multiple of {self.heads} heads"
                raise argument_error(name, rule, value)

    @property
    def query_flops(self) -> float:
        """Reading one clip, nothing hidden."""
        return self._encoder(self.scene.num_patches).forward_flops(_READING)

    @property
    def teacher_step_flops(self) -> float:
        """A step of the first stage: what is hidden is predicted in pixels."""
        return self._step_flops(self.scene.patch_pixels)

    @cached_property
    def student_step_flops(self) -> float:
        """A step with a teacher, which reads whole clips and is not trained, be it frozen or an average."""
        return self._step_flops(self.width) + self.batch_size * self.query_flops

    def _step_flops(self, outputs: int) -> float:
        scene, width = self.scene, self.predictor_width
        seen = scene.num_patches - scene.num_hidden
        enter = Matmul(name="enter", inputs=self.width, outputs=width, at=seen)
        leave = Matmul(name="leave", inputs=width, outputs=outputs, at=scene.num_hidden)
        whole = Network(
            reads="images",
            blocks=(
                *self._encoder(seen).blocks,
                Block(stages=((enter,),)),
                Block(stages=_layer(width, scene.num_patches), copies=self.predictor_layers),
                Block(stages=((leave,),)),
            ),
        )
        return training_flops(whole, _READING, num_sequences=self.batch_size).total

    def _encoder(self, patches: int) -> Network:
        stem = Matmul(name="stem", inputs=self.scene.patch_pixels, outputs=self.width, at=patches)
        return Network(
            reads="images",
            blocks=(
                Block(stages=((stem,),), is_layer=False),
                Block(stages=_layer(self.width, patches), copies=self.layers),
            ),
        )


def _layer(width: int, at: int) -> tuple[tuple[Part, ...], ...]:
    return (
        tuple(Matmul(name=name, inputs=width, outputs=width, at=at) for name in ("q_proj", "k_proj", "v_proj")),
        (Attention(width=width, sees="all", at=at),),
        (Matmul(name="o_proj", inputs=width, outputs=width, at=at),),
        (Matmul(name="up_proj", inputs=width, outputs=4 * width, at=at),),
        (Matmul(name="down_proj", inputs=4 * width, outputs=width, at=at),),
    )
