/** Network ACLs and what is in them. */
@NullMarked
package dev.muelle.services.ec2.acl;

import org.jspecify.annotations.NullMarked;
