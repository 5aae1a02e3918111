/**
 * AWS Certificate Manager: certificates that are imported, or issued by the region's own authority.
 * Keys are kept apart from what is told about a certificate, and leave this room only through
 * {@link dev.muelle.services.Certificates}.
 */
@NullMarked
package dev.muelle.services.acm;

import org.jspecify.annotations.NullMarked;
