"""PSHuman's denoiser at its published size, and Era3D's, which is the same without a face slot."""
