// Runs once for each workflow sandbox, before its globals are frozen and before any workflow.
// The SDK notes the stack of every promise that a workflow makes and looks each frame up in the source map: with ten frames, V8's
// default, that was a quarter of the workflow thread's time. Four name the step, and the run it belongs to, in "Call Stack" and in errors.
Error.stackTraceLimit = 4;
