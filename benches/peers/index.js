// Every peer that is measured in the browser, as one bundle.
import './brush.js';
import './explore.js';

window.peersReady = true;
