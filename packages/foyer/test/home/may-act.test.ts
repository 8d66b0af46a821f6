import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canRetryRun } from '../../src/home/viewer.ts';
import { run, step } from './home-content.ts';

describe('canRetryRun', () => {
  it('offers a retry of a run that failed', () => {
    const steps = [step('fetch-profile', 'succeeded'), step('send-welcome', 'failed')];
    assert.equal(canRetryRun({ status: 'active', run: run('failed', steps) }), true);
  });

  it('offers none if only a step for operators failed: the run succeeded, and members see no such step', () => {
    const steps = [step('send-welcome', 'succeeded'), step('notify-operators', 'failed')];
    assert.equal(canRetryRun({ status: 'active', run: run('succeeded', steps) }), false);
  });
});
