"""The config files that decide what the PoseGen loop costs, and how they grow."""

from dataclasses import dataclass, replace

from poseloop.data.config import Picture
from poseloop.posegen.config import PosegenConfig
from poseloop.posegen.config_estimators import EstimatorsConfig
from poseloop.posegen.config_images import ImageSetsConfig
from poseloop.posegen.config_nerf import NerfConfig
from poseloop.report.planning.config import CaseConfig, times
from poseloop.runtime.config import load_config
from poseloop.runtime.study import config_file


@dataclass(frozen=True)
class PosegenSizes:
    """The configs of the PoseGen loop."""

    loop: PosegenConfig
    images: ImageSetsConfig
    estimators: EstimatorsConfig
    nerf: NerfConfig

    def grown(self, growth: CaseConfig) -> "PosegenSizes":
        """These sizes with the factors of a case on pictures, their side, seeds and steps."""

        def larger(picture: Picture) -> Picture:
            return picture.model_copy(update={"size": picture.size * growth.size})

        sets = {
            name: entry.model_copy(update={"count": times(entry.count, growth.subjects)})
            for name, entry in self.images.sets.items()
        }
        tune = self.loop.finetune
        loop = {
            "seeds": list(range(times(len(self.loop.seeds), growth.seeds))),
            "pictures": times(self.loop.pictures, growth.subjects),
            "finetune": tune.model_copy(
                update={"steps": [times(steps, growth.steps) for steps in tune.steps]}
            ),
        }
        capture = self.nerf.capture
        capture = capture.model_copy(update={"picture": larger(capture.picture)})
        return replace(
            self,
            loop=self.loop.model_copy(update=loop),
            images=self.images.model_copy(
                update={"sets": sets, "picture": larger(self.images.picture)}
            ),
            nerf=self.nerf.model_copy(update={"capture": capture}),
        )


def load_posegen_sizes(case: CaseConfig) -> PosegenSizes:
    """The configs of a case, grown.

    Raises
    ------
    UserError
        A file is missing or invalid.
    """
    return PosegenSizes(
        loop=load_config(config_file(case.preset, "posegen"), PosegenConfig),
        images=load_config(config_file(case.preset, "posegen_images"), ImageSetsConfig),
        estimators=load_config(config_file(case.preset, "posegen_estimators"), EstimatorsConfig),
        nerf=load_config(config_file(case.preset, "posegen_nerf"), NerfConfig),
    ).grown(case)
