/**
 * The page of a delivery's workflow in Temporal's Web UI.
 * @param uiUrl base address of the Web UI, with or without a trailing slash
 */
export function temporalUrl(uiUrl: string, namespace: string, workflowId: string): string {
  const base = uiUrl.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}
