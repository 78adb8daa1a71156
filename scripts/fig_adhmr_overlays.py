"""Draw the best, selected and worst hypothesis of a few pictures, front and side."""

import argparse
from pathlib import Path

import torch

from poseloop.body.model import load_body
from poseloop.hmr.dataset import bodies_of, encode_pictures
from poseloop.hmr.denoiser import load_hmr
from poseloop.hmr.errors import body_errors
from poseloop.hmr.evaluation import take
from poseloop.hmr.evaluation_config import MeasureConfig
from poseloop.hmr.preferences import draw_hypotheses
from poseloop.hmr.scorer import load_scorer, score_tokens
from poseloop.hmr.store import load_labelled
from poseloop.report.figure_hmr_overlays import draw_overlays
from poseloop.report.hmr_config import HmrReportConfig
from poseloop.report.overlays import overlay, posed_vertices, side_view
from poseloop.report.style import save
from poseloop.runtime.cli import run
from poseloop.runtime.config import load_config
from poseloop.runtime.seeds import make_deterministic

SIZE = 160


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="adhmr_report.yaml")
    parser.add_argument("--measure", type=Path, required=True, help="hmr_evaluate.yaml")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help=".png and .pdf")
    arguments = parser.parse_args()

    config = load_config(arguments.config, HmrReportConfig)
    measure = load_config(arguments.measure, MeasureConfig)
    make_deterministic(measure.seed, measure.threads)
    body = load_body(arguments.body)
    model, scorer = load_hmr(arguments.model, body), load_scorer(arguments.scorer, body)
    pictures, labels = load_labelled(arguments.images, arguments.labels)
    rows = slice(config.overlays)
    pictures, truth = pictures[rows], bodies_of(labels[rows])
    data = encode_pictures(model.encoder, pictures)
    tokens = draw_hypotheses(model, data, measure.counts[-1], measure.seed, "evaluation")
    found = model.layout.decode(tokens, data.intrinsics[:, None])
    errors = body_errors(model.body, found, truth)["mpjpe"]
    chosen = score_tokens(scorer, model, pictures, tokens).argmax(1)
    columns = {"best": errors.argmin(1), "selected": chosen, "worst": errors.argmax(1)}
    lines = []
    for row in range(len(pictures)):
        line = {}
        for name, picked in {"truth": None, **columns}.items():
            if picked is None:
                one, error = type(truth)(*(value[row : row + 1] for value in truth)), None
            else:
                one = type(found)(*(value[row] for value in take(found, picked[:, None])))
                error = float(errors[row, picked[row]])
            with torch.inference_mode():
                vertices = posed_vertices(body, one)[0]
                front = overlay(
                    pictures.image[row], vertices, one.camera[0], data.intrinsics[row], body, SIZE
                )
            line[name] = front, side_view(vertices, body, SIZE), error
        lines.append(line)
    title = f"{config.overlay_set}: best (oracle), selected by score, worst of {tokens.shape[1]}"
    save(draw_overlays(lines, title), arguments.output)


if __name__ == "__main__":
    run(main)
