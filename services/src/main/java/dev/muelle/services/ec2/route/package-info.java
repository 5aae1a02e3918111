/** Route tables and what is in them. */
@NullMarked
package dev.muelle.services.ec2.route;

import org.jspecify.annotations.NullMarked;
