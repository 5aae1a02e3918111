/** AWS Security Token Service: tells a caller who it is. */
@NullMarked
package dev.muelle.services.sts;

import org.jspecify.annotations.NullMarked;
