"""The graph of rules as boxes and lines for an SVG."""

from collections.abc import Sequence

from poseloop.report.html.graph import Node

# Pixels: a box, and the grid on which boxes stand.
_WIDTH, _HEIGHT = 170, 44
_ACROSS, _DOWN, _MARGIN = 215, 58, 12


def draw_graph(nodes: Sequence[Node]) -> dict:
    """What the template draws: `width`, `height`, `nodes` with their texts, `edges` as paths."""
    corner = {
        node.rule: (_MARGIN + _ACROSS * node.level, _MARGIN + _DOWN * node.place) for node in nodes
    }
    longest = longest_time(nodes)
    edges = []
    for node in nodes:
        right, bottom = corner[node.rule]
        for above in sorted(node.above):
            left, top = corner[above]
            start, end, middle = left + _WIDTH, right, _HEIGHT // 2
            bend = (start + end) // 2
            edges.append(
                f"M{start},{top + middle} C{bend},{top + middle} {bend},{bottom + middle} "
                f"{end},{bottom + middle}"
            )
    return {
        "width": 2 * _MARGIN + _ACROSS * max((node.level for node in nodes), default=0) + _WIDTH,
        "height": 2 * _MARGIN + _DOWN * (1 + max((node.place for node in nodes), default=0)),
        "edges": edges,
        "nodes": [_box(node, *corner[node.rule], longest) for node in nodes],
    }


def longest_time(nodes: Sequence[Node]) -> float:
    """Seconds of the slowest rule; 0 where no time is known."""
    return max((node.seconds or 0.0 for node in nodes), default=0.0)


def _box(node: Node, x: int, y: int, longest: float) -> dict:
    time = "–" if node.seconds is None else f"{node.seconds:.0f} s"
    megabytes = f"{node.size / 1e6:.1f} MB"
    jobs = f"{node.jobs} job{'s' if node.jobs > 1 else ''}"
    return {
        "rule": node.rule,
        "jobs": node.jobs,
        "above": sorted(node.above),
        "seconds": node.seconds,
        "size": node.size,
        "time": time,
        "megabytes": megabytes,
        "facts": f"{jobs}, {time}, {megabytes}",
        "x": x,
        "y": y,
        "bar": round(_WIDTH * (node.seconds or 0) / longest) if longest else 0,
    }
