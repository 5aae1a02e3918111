/** Key pairs: whose public halves instances are told of. */
@NullMarked
package dev.muelle.services.ec2.key;

import org.jspecify.annotations.NullMarked;
