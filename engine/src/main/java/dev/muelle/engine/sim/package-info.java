/**
 * An engine without containers: it keeps in memory what the real one keeps in the kernel, and its
 * containers do what a script says, on the timers that it is given. For tests of the control plane,
 * which runs on it unchanged; on virtual time, the same run happens each time. What it holds
 * survives the control plane that uses it, as containers do.
 */
@NullMarked
package dev.muelle.engine.sim;

import org.jspecify.annotations.NullMarked;
