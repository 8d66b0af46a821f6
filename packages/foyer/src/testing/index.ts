export { startTestFoyer, type TestClock, type TestFoyer, type TestFoyerOptions } from './start-test-foyer.ts';
export { type Choice, createVisitor, eventually, type RunStatus, type Visitor } from './visitor.ts';
