/** AWS Systems Manager: the public parameters that say which image instances start from. */
@NullMarked
package dev.muelle.services.ssm;

import org.jspecify.annotations.NullMarked;
