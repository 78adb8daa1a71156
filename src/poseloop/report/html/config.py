"""Settings of the web page."""

from pydantic import Field

from poseloop.runtime.config import Config


class HtmlConfig(Config):
    """report_html.yaml."""

    subjects: int = Field(ge=1, description="subjects of each benchmark to show, the hardest first")
    mesh_subjects: int = Field(ge=1, description="subjects whose meshes can be turned")
    mesh_benchmark: str = Field(description="benchmark whose meshes can be turned")
    max_megabytes: float = Field(gt=0, description="size above which the page is refused")
    compare_with: str | None = Field(
        None,
        description="folder of another run's results, as ../before/results/demo, to compare the "
        "tables with; null for none",
    )
