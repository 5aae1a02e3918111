/** What the machine has and lacks, and the command that mends each lack. */
@NullMarked
package dev.muelle.region.doctor;

import org.jspecify.annotations.NullMarked;
