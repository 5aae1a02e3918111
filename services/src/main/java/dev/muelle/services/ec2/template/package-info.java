/** Launch templates: what is said of launches beforehand, in versions. */
@NullMarked
package dev.muelle.services.ec2.template;

import org.jspecify.annotations.NullMarked;
