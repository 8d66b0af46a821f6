import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setStage } from './pipeline-stage.ts';

describe('the steps after an install', () => {
  it('run in order, each once, and succeed', async (t) => {
    const stage = await setStage(t);
    const { runId } = await stage.install();
    const run = await stage.finish(runId);
    console.log(JSON.stringify(run, null, 1));
    console.log(stage.logged());
    assert.equal(run.status, 'succeeded');
  });
});
