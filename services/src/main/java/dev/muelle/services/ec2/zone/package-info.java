/** What is there before anything is made: zones, regions, attributes of the account. */
@NullMarked
package dev.muelle.services.ec2.zone;

import org.jspecify.annotations.NullMarked;
