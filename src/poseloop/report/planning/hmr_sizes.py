"""The config files that decide what the ADHMR loop costs, and how they grow."""

from dataclasses import dataclass, replace

from poseloop.hmr.config import BaseConfig
from poseloop.hmr.evaluation_config import CleaningConfig, MeasureConfig
from poseloop.hmr.image_config import ImageSetsConfig
from poseloop.hmr.preference_config import PreferencesConfig
from poseloop.hmr.scorer_config import ScorerConfig
from poseloop.hmr.study import AdhmrStudyConfig
from poseloop.hmr.tune_config import TuneConfig
from poseloop.report.planning.config import CaseConfig, times
from poseloop.runtime.config import Config, load_config
from poseloop.runtime.study import config_file


@dataclass(frozen=True)
class HmrSizes:
    """The configs of the ADHMR loop."""

    study: AdhmrStudyConfig
    images: ImageSetsConfig
    base: BaseConfig
    scorer: ScorerConfig
    preferences: PreferencesConfig
    tune: TuneConfig
    measure: MeasureConfig
    cleaning: CleaningConfig

    def grown(self, growth: CaseConfig) -> "HmrSizes":
        """These sizes with the factors of a case on pictures, their side, seeds and steps."""

        def seeds(config: Config) -> Config:
            count = times(len(config.seeds), growth.seeds)
            return config.model_copy(update={"seeds": list(range(count))})

        sets = {
            name: entry.model_copy(
                update={
                    "images": times(entry.images, growth.subjects),
                    "crop": entry.crop.model_copy(update={"size": entry.crop.size * growth.size}),
                }
            )
            for name, entry in self.images.sets.items()
        }
        picture = self.images.picture
        picture = picture.model_copy(update={"size": picture.size * growth.size})
        steps = {"steps": times(self.tune.steps, growth.steps)}
        return replace(
            self,
            images=self.images.model_copy(update={"sets": sets, "picture": picture}),
            tune=seeds(self.tune).model_copy(update=steps),
            cleaning=seeds(self.cleaning),
        )


def load_hmr_sizes(case: CaseConfig) -> HmrSizes:
    """The configs of a case, grown.

    Raises
    ------
    UserError
        A file is missing or invalid.
    """
    models: dict[str, tuple[str, type[Config]]] = {
        "study": ("adhmr_study", AdhmrStudyConfig),
        "images": ("hmr_images", ImageSetsConfig),
        "base": ("hmr", BaseConfig),
        "scorer": ("hmr_scorer", ScorerConfig),
        "preferences": ("hmr_preferences", PreferencesConfig),
        "tune": ("adhmr", TuneConfig),
        "measure": ("hmr_evaluate", MeasureConfig),
        "cleaning": ("hmr_cleaning", CleaningConfig),
    }
    configs = {
        field: load_config(config_file(case.preset, name), model)
        for field, (name, model) in models.items()
    }
    return HmrSizes(**configs).grown(case)
