/** The file in which `setup` saves the manifest that the app at Slack was made from; it holds no secret. */
export const manifestFileName = 'slack-app-manifest.json';

/** The page on which Slack creates an app from this manifest. (docs.slack.dev/app-manifests) */
export function createAppUrl(manifest: unknown): string {
  return `https://api.slack.com/apps?new_app=1&manifest_json=${encodeURIComponent(JSON.stringify(manifest))}`;
}
