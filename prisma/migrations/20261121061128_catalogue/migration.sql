-- AlterTable
ALTER TABLE "image_copy" ADD COLUMN "disk_bytes" BIGINT;
ALTER TABLE "image_copy" ADD COLUMN "sha256" TEXT;
ALTER TABLE "image_copy" ADD COLUMN "transfer" TEXT;

-- CreateTable
CREATE TABLE "upload" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "upload_uid" TEXT NOT NULL,
    "image_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "user_id" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "upload_image_id_fkey" FOREIGN KEY ("image_id") REFERENCES "image" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "upload_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "upload_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- AlterTable
ALTER TABLE "home" ADD COLUMN "allow_private_imports" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "image" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'disk';
ALTER TABLE "image" ADD COLUMN "source" TEXT NOT NULL DEFAULT 'build';
ALTER TABLE "image" ADD COLUMN "boot" TEXT NOT NULL DEFAULT 'direct';
ALTER TABLE "image" ADD COLUMN "version" TEXT NOT NULL DEFAULT '';
ALTER TABLE "image" ADD COLUMN "origin" TEXT NOT NULL DEFAULT '';
ALTER TABLE "image" ADD COLUMN "download_bytes" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "image" ADD COLUMN "request" TEXT;
ALTER TABLE "image" ADD COLUMN "delete_protected" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "image" ADD COLUMN "deleted_at" DATETIME;

-- CreateIndex
CREATE UNIQUE INDEX "upload_upload_uid_key" ON "upload"("upload_uid");

-- CreateIndex
CREATE UNIQUE INDEX "upload_image_id_key" ON "upload"("image_id");

-- CreateIndex
CREATE INDEX "upload_host_id_idx" ON "upload"("host_id");

-- CreateIndex
CREATE INDEX "upload_user_id_idx" ON "upload"("user_id");
