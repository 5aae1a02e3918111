/** VPC endpoints: the region's own APIs at addresses inside a VPC. */
@NullMarked
package dev.muelle.services.ec2.endpoint;

import org.jspecify.annotations.NullMarked;
