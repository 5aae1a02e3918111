/** What is asked about groups and their instances. */
@NullMarked
package dev.muelle.services.autoscaling.group;

import org.jspecify.annotations.NullMarked;
