//! The GPU's renderer: the same picture as the raster's, by compute shaders.
