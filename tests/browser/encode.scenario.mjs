// Vectors made from the page: of a table's pictures, by a model of the companion's folder.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { ROOT } from './server.mjs';

const raster = { renderers: ['raster'] };

// Handwritten digits as pictures in cells, texts beside them, and a model for each of the two.
const MAKE = `
import io, pathlib, sys
import pyarrow as pa, pyarrow.parquet as pq
sys.path.insert(0, sys.argv[1])
from sklearn.datasets import load_digits
from test_encode import digit, image_model, text_model
folder = pathlib.Path(sys.argv[2])
def png(at):
    file = io.BytesIO()
    digit(at).save(file, "PNG")
    return file.getvalue()
target = load_digits().target
pq.write_table(pa.table({
    "id": list(range(300)),
    "digit": [str(target[at]) for at in range(300)],
    "caption": ["red fox" if target[at] % 2 else f"quick dog {at}" for at in range(300)],
    "photo": [png(at) for at in range(300)],
}), folder / "lake/photos.parquet")
pq.write_table(pa.table({"a": [1, 2, 3]}), folder / "lake/numbers.parquet")
image_model(folder / "models/pixels")
text_model(folder / "models/words")
(folder / "models/broken.onnx").write_bytes(b"no model")
`;

async function withLake(t, run) {
  const folder = mkdtempSync(join(tmpdir(), 'limn-encode-'));
  const lake = join(folder, 'lake');
  try {
    mkdirSync(lake);
    execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', MAKE, join(ROOT, 'tests'), folder]);
    await run(lake, join(folder, 'models'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const dialog = (t) => t.page.getByRole('dialog', { name: 'Map vectors' });
const line = (t, name) => dialog(t).locator('.embed-job').filter({ hasText: name });

scenario('pictures of a table get vectors, which are mapped then', (t) => withLake(t, async (lake, models) => {
  await t.serve([lake], ['--models', models]);
  await t.open({ table: 'photos' });
  await t.untilShown();
  // Where there are pictures, the way to a map is offered.
  await t.page.getByRole('button', { name: 'Map', exact: true }).click();
  await dialog(t).getByText('no column of vectors').waitFor();
  assert.equal(await dialog(t).getByLabel('Model').inputValue(), 'pixels/model.onnx');
  assert.equal(await dialog(t).getByLabel('Column').inputValue(), 'photo');
  assert.deepEqual(await dialog(t).getByLabel('Model').locator('option').allInnerTexts(), ['pixels/model.onnx', 'words/model.onnx']);
  await dialog(t).getByText(/^About .* for 300 × 192$/).waitFor();
  await t.shotsOfAll('encode-form');

  // A model of texts is given texts.
  await dialog(t).getByLabel('Model').selectOption('words/model.onnx');
  assert.equal(await dialog(t).getByLabel('Column').inputValue(), 'caption');
  await dialog(t).getByText(/^About .* for 300 × 3$/).waitFor();
  await dialog(t).getByLabel('Model').selectOption('pixels/model.onnx');
  assert.equal(await dialog(t).getByLabel('Column').inputValue(), 'photo');

  // A name that is taken is blamed on its field.
  t.allow(/409/);
  const into = dialog(t).getByLabel('New table');
  assert.equal(await into.inputValue(), 'photos-vectors');
  await into.fill('numbers');
  await dialog(t).getByRole('button', { name: 'Make vectors' }).click();
  await dialog(t).getByRole('alert').filter({ hasText: 'have this name' }).waitFor();
  assert.equal(await into.getAttribute('aria-invalid'), 'true');

  await into.fill('photos-vectors');
  const readAnew = t.page.waitForResponse((answer) => /\/api\/tables\/photos(\?|$)/.test(answer.url()));
  await dialog(t).getByRole('button', { name: 'Make vectors' }).click();
  const isUnit = dialog(t).getByLabel('Vectors of length one');
  await isUnit.uncheck();
  await line(t, 'photos-vectors').filter({ hasText: '300 rows added' }).waitFor();
  await t.until('a name that is free is proposed', async () => await into.inputValue() === 'photos-vectors-2');
  // The tables are read anew then, which leaves the form as it is being filled in.
  await readAnew;
  await t.page.waitForTimeout(500);
  assert.equal(await into.inputValue(), 'photos-vectors-2');
  assert.equal(await isUnit.isChecked(), false);
  await t.shotsOfAll('encode-done');
  await line(t, 'photos-vectors').getByRole('button', { name: 'Open' }).click();
  await t.untilSelected(300);
  assert.equal(t.parameter('table'), 'photos-vectors');

  // It is a table of vectors now: mapped as any other.
  await t.page.getByRole('button', { name: 'Map', exact: true }).click();
  assert.equal(await dialog(t).getByLabel('Vectors', { exact: true }).inputValue(), 'emb');
  await dialog(t).getByLabel('Layout').selectOption('pca');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'photos-vectors-map').getByRole('button', { name: 'Open' }).waitFor();
  // Other vectors of the same rows can be made beside them.
  await dialog(t).getByRole('button', { name: 'Make other vectors' }).click();
  await dialog(t).getByRole('button', { name: 'Make vectors' }).waitFor();
  await t.shot('encode-others');
  await dialog(t).getByRole('button', { name: 'Map the vectors that are there' }).click();
  await dialog(t).getByRole('button', { name: 'Start' }).waitFor();
}), raster);

scenario('where the companion has no models, the dialog says what to do', (t) => withLake(t, async (lake, models) => {
  await t.serve([lake]);
  await t.open({ table: 'photos' });
  await t.untilShown();
  await t.page.keyboard.press('m');
  await dialog(t).getByText('--models FOLDER').waitFor();
}), raster);

scenario('where no model fits the table, the dialog says what they take', (t) => withLake(t, async (lake, models) => {
  await t.serve([lake], ['--models', models]);
  await t.open({ table: 'numbers' });
  await t.untilShown();
  await t.page.keyboard.press('m');
  await dialog(t).getByText('no column of what they take').waitFor();
  await dialog(t).getByText('is no ONNX model').waitFor();
}), raster);
