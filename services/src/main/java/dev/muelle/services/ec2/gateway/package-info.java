/** Internet gateways. */
@NullMarked
package dev.muelle.services.ec2.gateway;

import org.jspecify.annotations.NullMarked;
