export { startTestFoyer, type TestClock, type TestFoyer, type TestFoyerOptions } from './start-test-foyer.ts';
export { type Choice, createVisitor, eventually, type ShownRun, type Visitor } from './visitor.ts';
