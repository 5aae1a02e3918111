/** Instances: how they are launched, and what becomes of them. */
@NullMarked
package dev.muelle.services.ec2.instance;

import org.jspecify.annotations.NullMarked;
