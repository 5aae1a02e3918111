/**
 * Amazon Elastic Container Registry: its API, the registry protocol that engines push and pull with
 * (OCI distribution 1.1, Docker registry v2), and the view that our own engine has of the images.
 * Layers and manifests are blobs of the shared blob store; rows say which repository has which.
 */
@NullMarked
package dev.muelle.services.ecr;

import org.jspecify.annotations.NullMarked;
