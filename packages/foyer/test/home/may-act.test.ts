import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canRetryRun, mayAct } from '../../src/home/viewer.ts';
import { run, step } from './home-content.ts';

describe('canRetryRun', () => {
  it('canRetryRun allows a retry of a run that failed', () => {
    const steps = [step('fetch-profile', 'succeeded'), step('send-welcome', 'failed')];
    assert.equal(canRetryRun({ status: 'active', run: run('failed', steps) }, steps), true);
  });

  it('canRetryRun does not allow a retry if the run succeeded and only a step for operators failed', () => {
    const steps = [step('send-welcome', 'succeeded'), step('notify-operators', 'failed')];
    assert.equal(canRetryRun({ status: 'active', run: run('succeeded', steps) }, steps), false);
  });
});

describe('mayAct', () => {
  it('mayAct allows only the installer and admins, and no one after an uninstall or from another workspace', () => {
    const record = { status: 'active', installerUserId: 'U1' } as const;
    const may = (viewer: object, status: 'active' | 'broken' | 'uninstalled' = 'active') =>
      mayAct({ ...record, status }, { userId: 'U2', isAdmin: false, ...viewer });
    assert.deepEqual([may({}), may({ isAdmin: true }), may({ userId: 'U1' })], [false, true, true]);
    assert.equal(may({ userId: 'U1' }, 'broken'), true);
    assert.equal(may({ userId: 'U1', isAdmin: true }, 'uninstalled'), false);
    assert.equal(may({ userId: 'U1', isAdmin: true, isExternal: true }), false);
  });
});
