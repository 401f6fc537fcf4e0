// The peers that are measured in one page each, as one bundle. embedding-atlas and cold
// starts are bundles of their own.
import './arquero.js';
import './brush.js';
import './explore.js';
import './grid.js';
import './mosaic.js';
import './perspective.js';
