export { checkBlocks } from './blocks/check-blocks.ts';
export { createFaultList } from './blocks/fault-list.ts';
export type { Failure } from './control/control-bodies.ts';
export type { FaultPlan } from './control/faults.ts';
export { createSandbox } from './create-sandbox.ts';
export { type IdTokenFlaw, idTokenFlaws } from './openid/id-token.ts';
export type { AppProcess, Sandbox, SandboxOptions } from './sandbox.ts';
export type { World } from './world/world.ts';
