"""Agreement of generated views with true ones: PSNR, SSIM and the masks' overlap."""

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

_CEILING_DB = 100.0


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two (S, S, 3) uint8 pictures, dB, at most 100."""
    if np.array_equal(image, truth):
        return _CEILING_DB
    return float(peak_signal_noise_ratio(truth, image, data_range=255))


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity of two (S, S, 3) uint8 pictures, with the window of Wang et al. 2004.

    Gaussian window of standard deviation 1.5 pixels, population covariance.
    """
    return float(
        structural_similarity(
            truth,
            image,
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def mask_iou(mask: np.ndarray, truth: np.ndarray, level: float) -> float:
    """Overlap of two (S, S) masks in [0, 1], both cut at `level`: 1 if both are empty."""
    a, b = mask >= level, truth >= level
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def compare_views(
    rgb: np.ndarray,
    normal: np.ndarray,
    mask: np.ndarray,
    true_rgb: np.ndarray,
    true_normal: np.ndarray,
    true_mask: np.ndarray,
    azimuths: np.ndarray,
    level: float,
) -> dict[str, float]:
    """Picture metrics of one subject.

    The input view (index 0) is nearly given by the input picture (fact sheet 5, view shortcut):
    the plain names are means over the other views, and it has names of its own.

    Parameters
    ----------
    rgb, normal, true_rgb, true_normal : (K, S, S, 3) uint8 arrays
    mask, true_mask : (K, S, S) float arrays
        In [0, 1].
    azimuths : (K,) array
        Degrees; they name the views.
    level : float
        Mask value from which a pixel is body.

    Returns
    -------
    dict
        `psnr`, `ssim`, `normal_psnr`, `mask_iou`, each also with `_input` and with
        `_view{azimuth}` for every view.
    """
    measures = {
        "psnr": [psnr(*pair) for pair in zip(rgb, true_rgb, strict=True)],
        "ssim": [ssim(*pair) for pair in zip(rgb, true_rgb, strict=True)],
        "normal_psnr": [psnr(*pair) for pair in zip(normal, true_normal, strict=True)],
        "mask_iou": [mask_iou(*pair, level) for pair in zip(mask, true_mask, strict=True)],
    }
    return {
        key: value
        for name, values in measures.items()
        for key, value in view_metrics(name, values, azimuths).items()
    }


def view_metrics(name: str, values: list[float], azimuths: np.ndarray) -> dict[str, float]:
    """Mean of the views other than the input, the input view, and every view under its azimuth."""
    named = {name: float(np.mean(values[1:])), f"{name}_input": float(values[0])}
    for azimuth, value in zip(azimuths, values, strict=True):
        named[f"{name}_view{round(float(azimuth)):03d}"] = float(value)
    return named
