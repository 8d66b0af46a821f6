import { type Brand, completeBrand } from '../../src/http/brand.ts';
import { builtInSteps } from '../../src/steps/steps.ts';
import { createTexts, type StepFaces, stepFaces } from '../../src/texts/create-texts.ts';

/** Foyer's own texts. */
export const texts = createTexts();

/** Foyer's own texts, in English. */
export const english = texts.forLocale('en');

/** The brand of an app that sets only its name. */
export function brandOf(name = 'Foyer', more: Partial<Brand> = {}): Brand {
  const app = { name, description: '', longDescription: '', backgroundColor: undefined };
  return completeBrand({ app, privacyUrl: undefined, supportUrl: undefined }, more);
}

/** For each built-in step: its title, and whether only operators see it. */
export const faces: StepFaces = stepFaces(builtInSteps());
