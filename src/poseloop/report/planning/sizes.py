"""The config files of a preset that decide what it costs, and how they grow."""

from dataclasses import dataclass, replace

from poseloop.data.config import PoseSetConfig, ViewSetsConfig
from poseloop.evaluate.config import JudgeConfig
from poseloop.multiview.config import AutoencoderConfig, GenerateConfig, MultiviewConfig
from poseloop.multiview.pshuman.config import ReleasedConfig
from poseloop.report.planning.config import CaseConfig, times
from poseloop.reward.config import DrPoseConfig, PoseScoreConfig
from poseloop.runtime.config import Config, load_config
from poseloop.runtime.errors import UserError
from poseloop.runtime.study import StudyConfig, config_file, load_study


@dataclass(frozen=True)
class Sizes:
    """The configs of the DrPose loop; `released` takes the place of the base if it is given."""

    study: StudyConfig
    scans: ViewSetsConfig
    benchmarks: ViewSetsConfig
    poseset: PoseSetConfig
    autoencoder: AutoencoderConfig
    multiview: MultiviewConfig
    posescore: PoseScoreConfig
    drpose: DrPoseConfig
    generate: GenerateConfig
    judge: JudgeConfig
    released: ReleasedConfig | None = None

    def grown(self, growth: CaseConfig) -> "Sizes":
        """These sizes with every factor of a case applied; counts are rounded.

        A set in several files grows by more of them, the judge's set not at all. Networks keep
        their shape: the same one reads larger pictures. Only fine-tuning's steps grow, as the
        other trainings are set by their configs.

        Raises
        ------
        UserError
            The resolution of a released denoiser is to grow, which its weights fix.
        """
        if self.released is not None and (growth.size != 1 or growth.views != 1):
            raise UserError("a released denoiser has one resolution and one number of views")

        def view_sets(config: ViewSetsConfig) -> ViewSetsConfig:
            sets = {
                name: entry
                if name == self.study.judge_scans
                else _with(
                    entry,
                    subjects=times(entry.subjects, growth.subjects),
                    shards=times(entry.shards, growth.subjects) if entry.shards > 1 else 1,
                )
                for name, entry in config.sets.items()
            }
            views = times(len(config.azimuths), growth.views)
            azimuths = tuple(360.0 * view / views for view in range(views))
            return _with(config, sets=sets, azimuths=azimuths, picture=picture(config.picture))

        def picture(config: Config) -> Config:
            return _with(config, size=config.size * growth.size)

        selection = self.poseset.selection
        anchors = times(selection.anchors, growth.subjects)
        skeleton = self.posescore.skeleton
        views = times(self.multiview.denoiser.views, growth.views)
        seeds = list(range(times(len(self.study.seeds), growth.seeds)))
        variants = {
            name: _with(variant, steps=times(variant.steps, growth.steps))
            for name, variant in self.drpose.variants.items()
        }
        return replace(
            self,
            study=_with(self.study, seeds=seeds),
            scans=view_sets(self.scans),
            benchmarks=view_sets(self.benchmarks),
            poseset=_with(
                self.poseset,
                selection=_with(selection, anchors=anchors),
                picture=picture(self.poseset.picture),
            ),
            multiview=_with(self.multiview, denoiser=_with(self.multiview.denoiser, views=views)),
            drpose=_with(self.drpose, variants=variants),
            posescore=_with(
                self.posescore, skeleton=_with(skeleton, size=skeleton.size * growth.size)
            ),
        )


def load_sizes(case: CaseConfig) -> Sizes:
    """The configs of a case: a preset, perhaps with a released denoiser, grown.

    Raises
    ------
    UserError
        A file is missing or invalid.
    """
    models: dict[str, type[Config]] = {
        "scans": ViewSetsConfig,
        "benchmarks": ViewSetsConfig,
        "poseset": PoseSetConfig,
        "autoencoder": AutoencoderConfig,
        "multiview": MultiviewConfig,
        "posescore": PoseScoreConfig,
        "drpose": DrPoseConfig,
        "generate": GenerateConfig,
        "judge": JudgeConfig,
    }
    configs = {
        name: load_config(config_file(case.preset, name), model) for name, model in models.items()
    }
    base = load_config(case.released, ReleasedConfig) if case.released else None
    return Sizes(study=load_study(case.preset), released=base, **configs).grown(case)


def _with(config: Config, **changes: object) -> Config:
    return config.model_copy(update=changes)
